-- +goose Up
-- +guestpass Expand
-- Each list reads along an index that begins with all that it is filtered by and goes on in its order, so that it costs
-- as much among a million tasks as among a hundred (list.go says how). A label's row carries what its tasks are sorted
-- by: every change of a task makes its labels' rows anew, and the trigger fills them, whichever version of the program
-- inserts them. Until then deleted_at keeps them out of the indexes.
-- While this runs nobody writes tasks, and whoever reads goes on until the labels' turn comes: what needs a lock against
-- readers comes last. Seven indexes of all tasks are made, and one of their words: of a million tasks that is a minute
-- or more.

-- due comes last where a list leaves out what is due later, and is not sorted by it.
CREATE INDEX tasks_by_state_update            ON tasks (owner, state, updated_at, seq, due)           WHERE deleted_at = 0;
CREATE INDEX tasks_by_state_priority          ON tasks (owner, state, priority, seq, due)             WHERE deleted_at = 0;
CREATE INDEX tasks_by_state_creation          ON tasks (owner, state, seq, due)                       WHERE deleted_at = 0;
CREATE INDEX tasks_by_assignee_state_due      ON tasks (owner, assignee, state, due, seq)             WHERE deleted_at = 0;
CREATE INDEX tasks_by_assignee_state_update   ON tasks (owner, assignee, state, updated_at, seq, due) WHERE deleted_at = 0;
CREATE INDEX tasks_by_assignee_state_priority ON tasks (owner, assignee, state, priority, seq, due)   WHERE deleted_at = 0;
CREATE INDEX tasks_by_assignee_state_creation ON tasks (owner, assignee, state, seq, due)             WHERE deleted_at = 0;

-- A search for a word that is neither rare nor common looks among the last 1,024 tasks, then 32,768, then all: each task
-- is in a place of both sizes, as a part of the same index, which finds few rows by the lesser of word and place. The
-- version before searches it by the word alone. What is not merged into it yet each search reads, so it may not be much.
CREATE INDEX tasks_by_word_and_place ON tasks USING gin (words, (ARRAY[seq >> 10, -1 - (seq >> 15)]))
	WITH (gin_pending_list_limit = 256) WHERE deleted_at = 0;

ALTER TABLE task_labels ADD COLUMN state      TEXT    NOT NULL DEFAULT '';
ALTER TABLE task_labels ADD COLUMN assignee   TEXT    NOT NULL DEFAULT '';
ALTER TABLE task_labels ADD COLUMN due        TEXT    NOT NULL DEFAULT '';
ALTER TABLE task_labels ADD COLUMN priority   BIGINT  NOT NULL DEFAULT 0;
ALTER TABLE task_labels ADD COLUMN updated_at BIGINT  NOT NULL DEFAULT 0;
ALTER TABLE task_labels ADD COLUMN deleted_at BIGINT  NOT NULL DEFAULT 1;
UPDATE task_labels l SET state = t.state, assignee = t.assignee, due = t.due, priority = t.priority,
	updated_at = t.updated_at, deleted_at = t.deleted_at FROM tasks t WHERE t.seq = l.task;
-- +goose StatementBegin
CREATE FUNCTION task_labels_fill() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	SELECT state, assignee, due, priority, updated_at, deleted_at
		INTO new.state, new.assignee, new.due, new.priority, new.updated_at, new.deleted_at
		FROM tasks WHERE seq = new.task;
	RETURN new;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER task_labels_fill BEFORE INSERT ON task_labels FOR EACH ROW EXECUTE FUNCTION task_labels_fill();

CREATE INDEX task_labels_by_state_due         ON task_labels (owner, label, state, due, task)             WHERE deleted_at = 0;
CREATE INDEX task_labels_by_state_update      ON task_labels (owner, label, state, updated_at, task, due) WHERE deleted_at = 0;
CREATE INDEX task_labels_by_state_priority    ON task_labels (owner, label, state, priority, task, due)   WHERE deleted_at = 0;
CREATE INDEX task_labels_by_state_creation    ON task_labels (owner, label, state, task, due)             WHERE deleted_at = 0;

CREATE INDEX task_labels_by_assignee_state_due      ON task_labels (owner, label, assignee, state, due, task)
	WHERE deleted_at = 0;
CREATE INDEX task_labels_by_assignee_state_update   ON task_labels (owner, label, assignee, state, updated_at, task, due)
	WHERE deleted_at = 0;
CREATE INDEX task_labels_by_assignee_state_priority ON task_labels (owner, label, assignee, state, priority, task, due)
	WHERE deleted_at = 0;
CREATE INDEX task_labels_by_assignee_state_creation ON task_labels (owner, label, assignee, state, task, due)
	WHERE deleted_at = 0;

DROP INDEX tasks_by_word;

-- +goose Down
CREATE INDEX tasks_by_word ON tasks USING gin (words) WHERE deleted_at = 0;
DROP INDEX tasks_by_word_and_place;
DROP TRIGGER task_labels_fill ON task_labels;
DROP FUNCTION task_labels_fill;
DROP INDEX task_labels_by_state_due;
DROP INDEX task_labels_by_state_update;
DROP INDEX task_labels_by_state_priority;
DROP INDEX task_labels_by_state_creation;
DROP INDEX task_labels_by_assignee_state_due;
DROP INDEX task_labels_by_assignee_state_update;
DROP INDEX task_labels_by_assignee_state_priority;
DROP INDEX task_labels_by_assignee_state_creation;
DROP INDEX tasks_by_state_update;
DROP INDEX tasks_by_state_priority;
DROP INDEX tasks_by_state_creation;
DROP INDEX tasks_by_assignee_state_due;
DROP INDEX tasks_by_assignee_state_update;
DROP INDEX tasks_by_assignee_state_priority;
DROP INDEX tasks_by_assignee_state_creation;
ALTER TABLE task_labels DROP COLUMN state;
ALTER TABLE task_labels DROP COLUMN assignee;
ALTER TABLE task_labels DROP COLUMN due;
ALTER TABLE task_labels DROP COLUMN priority;
ALTER TABLE task_labels DROP COLUMN updated_at;
ALTER TABLE task_labels DROP COLUMN deleted_at;
