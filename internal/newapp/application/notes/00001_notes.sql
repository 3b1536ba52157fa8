-- +goose Up
CREATE TABLE notes (
	id         TEXT   NOT NULL PRIMARY KEY,
	owner      TEXT   NOT NULL, -- the organization, or in Consumer projects the user
	creator    TEXT   NOT NULL,
	note       TEXT   NOT NULL,
	created_at BIGINT NOT NULL, -- milliseconds since 1970
	deleted_at BIGINT NOT NULL, -- the same; 0: it is not deleted
	bytes      BIGINT NOT NULL  -- what the quota counts for it
);
CREATE INDEX notes_by_creation ON notes (owner, created_at, id) WHERE deleted_at = 0;
CREATE INDEX notes_by_deletion ON notes (deleted_at) WHERE deleted_at > 0;

-- +goose Down
DROP TABLE notes;
