-- +goose Up
CREATE TABLE expenses (
	id         TEXT   NOT NULL PRIMARY KEY,
	owner      TEXT   NOT NULL, -- the organization, or in Consumer projects the user
	creator    TEXT   NOT NULL,
	cents      BIGINT NOT NULL,
	currency   TEXT   NOT NULL,
	category   TEXT   NOT NULL,
	spent_on   TEXT   NOT NULL, -- YYYY-MM-DD
	note       TEXT   NOT NULL,
	version    BIGINT NOT NULL,
	deleted_at BIGINT NOT NULL, -- milliseconds since 1970; 0: it is not deleted
	bytes      BIGINT NOT NULL  -- what the quota counts for it
);
CREATE INDEX expenses_by_day ON expenses (owner, spent_on, id) WHERE deleted_at = 0;
CREATE INDEX expenses_by_deletion ON expenses (deleted_at) WHERE deleted_at > 0;
