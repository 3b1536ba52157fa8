-- +goose Up
-- How many things of each kind there are that are not deleted. What kinds there are resources say.
CREATE TABLE quota_things (
	owner  TEXT    NOT NULL,
	person TEXT    NOT NULL, -- who made it; empty for all of the owner
	kind   TEXT    NOT NULL,
	number INTEGER NOT NULL,
	PRIMARY KEY (owner, person, kind)
) WITHOUT ROWID;
INSERT INTO quota_things SELECT owner, person, 'tasks', tasks FROM quota_usage WHERE tasks <> 0;
INSERT INTO quota_things SELECT owner, person, 'comments', comments FROM quota_usage WHERE comments <> 0;
ALTER TABLE quota_usage DROP COLUMN tasks;
ALTER TABLE quota_usage DROP COLUMN comments;

-- +goose Down
ALTER TABLE quota_usage ADD COLUMN tasks    INTEGER NOT NULL DEFAULT 0;
ALTER TABLE quota_usage ADD COLUMN comments INTEGER NOT NULL DEFAULT 0;
UPDATE quota_usage SET
	tasks = coalesce((SELECT number FROM quota_things t WHERE t.owner = quota_usage.owner
		AND t.person = quota_usage.person AND kind = 'tasks'), 0),
	comments = coalesce((SELECT number FROM quota_things t WHERE t.owner = quota_usage.owner
		AND t.person = quota_usage.person AND kind = 'comments'), 0);
DROP TABLE quota_things;
