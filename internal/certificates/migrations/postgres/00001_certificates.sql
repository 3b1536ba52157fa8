-- +goose Up
CREATE TABLE certificates (
	name       TEXT    NOT NULL PRIMARY KEY,
	sealed     TEXT    NOT NULL, -- base64; nobody reads it without the project's secret
	updated_at BIGINT  NOT NULL  -- milliseconds since 1970
);

-- +goose Down
DROP TABLE certificates;
