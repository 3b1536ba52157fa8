-- +goose Up
-- How many things of each kind there are that are not deleted. What kinds there are resources say.
CREATE TABLE quota_things (
	owner  TEXT    NOT NULL,
	person TEXT    NOT NULL, -- who made it; empty for all of the owner
	kind   TEXT    NOT NULL,
	number BIGINT  NOT NULL,
	PRIMARY KEY (owner, person, kind)
);
INSERT INTO quota_things SELECT owner, person, 'tasks', tasks FROM quota_usage WHERE tasks <> 0;
INSERT INTO quota_things SELECT owner, person, 'comments', comments FROM quota_usage WHERE comments <> 0;
-- Instances of the version before go on to write these until they are replaced; nothing reads them.
ALTER TABLE quota_usage ALTER COLUMN tasks SET DEFAULT 0;
ALTER TABLE quota_usage ALTER COLUMN comments SET DEFAULT 0;

-- +goose Down
UPDATE quota_usage SET
	tasks = coalesce((SELECT number FROM quota_things t WHERE t.owner = quota_usage.owner
		AND t.person = quota_usage.person AND kind = 'tasks'), 0),
	comments = coalesce((SELECT number FROM quota_things t WHERE t.owner = quota_usage.owner
		AND t.person = quota_usage.person AND kind = 'comments'), 0);
DROP TABLE quota_things;
