-- +goose Up
-- How much each row keeps, as quotas count it (size.go says what): of what is older than the count, about.
ALTER TABLE tasks         ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task_comments ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE tasks         SET bytes = 1200 + 3 * length(CAST(title || notes AS BLOB));
UPDATE task_comments SET bytes = 600 + length(CAST(text AS BLOB));

-- What is deleted becomes final, the oldest first.
CREATE INDEX tasks_by_deletion         ON tasks (deleted_at)         WHERE deleted_at > 0;
CREATE INDEX task_comments_by_deletion ON task_comments (deleted_at) WHERE deleted_at > 0;
CREATE INDEX task_comments_of_task     ON task_comments (task_id);

CREATE TABLE counted AS
	SELECT owner, creator AS person, 'tasks' AS kind, deleted_at = 0 AS number, bytes FROM tasks
	UNION ALL SELECT owner, author, 'comments', deleted_at = 0, bytes FROM task_comments;
INSERT INTO counted SELECT owner, '', kind, number, bytes FROM counted WHERE person <> '';
INSERT INTO quota_things SELECT owner, person, kind, sum(number) FROM counted GROUP BY owner, person, kind;
INSERT INTO quota_usage (owner, person, activities, bytes)
	SELECT owner, person, 0, sum(bytes) FROM counted WHERE true GROUP BY owner, person
	ON CONFLICT (owner, person) DO UPDATE SET bytes = quota_usage.bytes + excluded.bytes;
DROP TABLE counted;

-- +goose Down
-- Whose the rows were counted for may be another person by now, so a person's count is of the record alone.
DELETE FROM quota_things WHERE kind IN ('tasks', 'comments');
UPDATE quota_usage SET bytes = coalesce((SELECT sum(bytes) FROM activity a
	WHERE a.owner = quota_usage.owner AND (quota_usage.person = '' OR a.subject = quota_usage.person)), 0);
DROP INDEX tasks_by_deletion;
DROP INDEX task_comments_by_deletion;
DROP INDEX task_comments_of_task;
ALTER TABLE task_comments DROP COLUMN bytes;
ALTER TABLE tasks         DROP COLUMN bytes;
