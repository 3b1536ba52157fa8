-- +goose Up
-- +guestpass Expand
-- For programs that are older than a schema: which of them may go on with it.
CREATE TABLE schema_compatibility (
	name    TEXT    PRIMARY KEY, -- of the resource; empty for the store
	version BIGINT  NOT NULL,    -- the last migration
	since   BIGINT  NOT NULL     -- whoever knows this one may go on
);

-- +goose Down
DROP TABLE schema_compatibility;
