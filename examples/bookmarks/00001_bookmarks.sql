-- +goose Up
CREATE TABLE bookmarks (
	id         TEXT    PRIMARY KEY,
	owner      TEXT    NOT NULL,
	title      TEXT    NOT NULL,
	url        TEXT    NOT NULL,
	created_at BIGINT  NOT NULL,
	deleted    BOOLEAN NOT NULL
);
CREATE INDEX bookmarks_by_creation ON bookmarks (owner, created_at) WHERE NOT deleted;

-- +goose Down
DROP TABLE bookmarks;
