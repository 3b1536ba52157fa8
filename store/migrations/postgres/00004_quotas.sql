-- +goose Up
-- How much each row keeps, as quotas count it (usage.go says what): of what is older than the count, about.
ALTER TABLE activity      ADD COLUMN bytes BIGINT  NOT NULL DEFAULT 0;
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
INSERT INTO quota_usage SELECT owner, subject, 0, 0, count(*), sum(bytes) FROM activity WHERE subject <> '' GROUP BY owner, subject;
INSERT INTO quota_usage SELECT owner, '', 0, 0, count(*), sum(bytes) FROM activity GROUP BY owner;

-- Space that denials can have when there is no other, see reserve.go. Without indexes, and without text, which
-- has a table of its own: to empty those takes a page.
CREATE TABLE reserve (filler BIGINT NOT NULL);

-- +goose Down
DROP TABLE reserve;
DROP TABLE quota_usage;
ALTER TABLE replies DROP COLUMN owner;
ALTER TABLE replies DROP COLUMN person;
ALTER TABLE replies DROP COLUMN target;
ALTER TABLE replies DROP COLUMN bytes;
ALTER TABLE activity_heads DROP COLUMN floor_seq;
ALTER TABLE activity_heads DROP COLUMN floor_hash;
ALTER TABLE activity_heads DROP COLUMN floor_at;
DROP INDEX activity_by_client;
DROP INDEX activity_of_removal;
DROP INDEX activity_app_of_removal;
ALTER TABLE activity DROP COLUMN removes;
ALTER TABLE activity DROP COLUMN bytes;
