-- +goose Up
-- +guestpass Expand
-- Each list reads along an index that begins with all that it is filtered by and goes on in its order, so that it costs
-- as much among a million tasks as among a hundred (list.go says how). A label's row carries what its tasks are sorted
-- by: every change of a task makes its labels' rows anew, and the trigger fills them, whichever version of the program
-- inserts them. Until then deleted_at keeps them out of the indexes.
ALTER TABLE task_labels ADD COLUMN state      TEXT    NOT NULL DEFAULT '';
ALTER TABLE task_labels ADD COLUMN assignee   TEXT    NOT NULL DEFAULT '';
ALTER TABLE task_labels ADD COLUMN due        TEXT    NOT NULL DEFAULT '';
ALTER TABLE task_labels ADD COLUMN priority   INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task_labels ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task_labels ADD COLUMN deleted_at INTEGER NOT NULL DEFAULT 1;
UPDATE task_labels SET (state, assignee, due, priority, updated_at, deleted_at) =
	(SELECT state, assignee, due, priority, updated_at, deleted_at FROM tasks WHERE seq = task_labels.task);
-- +goose StatementBegin
CREATE TRIGGER task_labels_fill AFTER INSERT ON task_labels BEGIN
	UPDATE task_labels SET (state, assignee, due, priority, updated_at, deleted_at) =
		(SELECT state, assignee, due, priority, updated_at, deleted_at FROM tasks WHERE seq = new.task)
	WHERE owner = new.owner AND label = new.label AND task = new.task;
END;
-- +goose StatementEnd

-- due comes last where a list leaves out what is due later, and is not sorted by it.
CREATE INDEX tasks_by_state_update            ON tasks (owner, state, updated_at, seq, due)           WHERE deleted_at = 0;
CREATE INDEX tasks_by_state_priority          ON tasks (owner, state, priority, seq, due)             WHERE deleted_at = 0;
CREATE INDEX tasks_by_state_creation          ON tasks (owner, state, seq, due)                       WHERE deleted_at = 0;
CREATE INDEX tasks_by_assignee_state_due      ON tasks (owner, assignee, state, due, seq)             WHERE deleted_at = 0;
CREATE INDEX tasks_by_assignee_state_update   ON tasks (owner, assignee, state, updated_at, seq, due) WHERE deleted_at = 0;
CREATE INDEX tasks_by_assignee_state_priority ON tasks (owner, assignee, state, priority, seq, due)   WHERE deleted_at = 0;
CREATE INDEX tasks_by_assignee_state_creation ON tasks (owner, assignee, state, seq, due)             WHERE deleted_at = 0;

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

-- +goose Down
DROP TRIGGER task_labels_fill;
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
