-- +goose Up
-- How much each row keeps, as quotas count it (usage.go says what): of what is older than the count, about.
ALTER TABLE tasks         ADD COLUMN bytes BIGINT  NOT NULL DEFAULT 0;
ALTER TABLE task_comments ADD COLUMN bytes BIGINT  NOT NULL DEFAULT 0;
ALTER TABLE activity      ADD COLUMN bytes BIGINT  NOT NULL DEFAULT 0;
UPDATE tasks         SET bytes = 1200 + 3 * octet_length(title || notes);
UPDATE task_comments SET bytes = 600 + octet_length(text);
UPDATE activity      SET bytes = 900 + octet_length(before || after || conversation);

-- 1: it took something away. Nothing but the search for such rows goes by it; the hash does not cover it.
ALTER TABLE activity ADD COLUMN removes BIGINT  NOT NULL DEFAULT 0;
UPDATE activity SET removes = 1 WHERE before <> '' AND (after = ''
	OR after LIKE '%"DeletedAt":"2%' AND before LIKE '%"DeletedAt":"0001-%');
CREATE INDEX activity_by_client      ON activity (owner, subject, client, seq);
CREATE INDEX activity_of_removal     ON activity (owner, subject, seq)         WHERE removes = 1;
CREATE INDEX activity_app_of_removal ON activity (owner, subject, client, seq) WHERE removes = 1;

-- Rows up to floor_seq are not kept any more; the hash of the last of them, and its time.
ALTER TABLE activity_heads ADD COLUMN floor_seq  BIGINT  NOT NULL DEFAULT 0;
ALTER TABLE activity_heads ADD COLUMN floor_hash TEXT    NOT NULL DEFAULT '';
ALTER TABLE activity_heads ADD COLUMN floor_at   BIGINT  NOT NULL DEFAULT 0;

-- What is deleted becomes final, the oldest first.
CREATE INDEX tasks_by_deletion         ON tasks (deleted_at)         WHERE deleted_at > 0;
CREATE INDEX task_comments_by_deletion ON task_comments (deleted_at) WHERE deleted_at > 0;
CREATE INDEX task_comments_of_task     ON task_comments (task_id);

-- Whose an answer is, and what it tells of. Those from before end within a day.
ALTER TABLE replies ADD COLUMN owner  TEXT    NOT NULL DEFAULT '';
ALTER TABLE replies ADD COLUMN person TEXT    NOT NULL DEFAULT '';
ALTER TABLE replies ADD COLUMN target TEXT    NOT NULL DEFAULT '';
ALTER TABLE replies ADD COLUMN bytes  BIGINT  NOT NULL DEFAULT 0;

CREATE TABLE quota_usage (
	owner      TEXT    NOT NULL,
	person     TEXT    NOT NULL, -- who made it; empty for all of the owner
	tasks      BIGINT  NOT NULL, -- not deleted, as the comments
	comments   BIGINT  NOT NULL,
	activities BIGINT  NOT NULL,
	bytes      BIGINT  NOT NULL, -- of all there is, deleted or not
	PRIMARY KEY (owner, person)
);
CREATE TABLE counted AS
	SELECT owner, creator AS person, CAST(deleted_at = 0 AS int) AS tasks, 0 AS comments, 0 AS activities, bytes FROM tasks
	UNION ALL SELECT owner, author, 0, CAST(deleted_at = 0 AS int), 0, bytes FROM task_comments
	UNION ALL SELECT owner, subject, 0, 0, 1, bytes FROM activity;
INSERT INTO quota_usage SELECT owner, person, sum(tasks), sum(comments), sum(activities), sum(bytes)
	FROM counted WHERE person <> '' GROUP BY owner, person;
INSERT INTO quota_usage SELECT owner, '', sum(tasks), sum(comments), sum(activities), sum(bytes) FROM counted GROUP BY owner;
DROP TABLE counted;

-- Space that denials can have when there is no other, see reserve.go. Without indexes, and without text, which
-- has a table of its own: to empty those takes a page.
CREATE TABLE reserve (filler BIGINT NOT NULL);
