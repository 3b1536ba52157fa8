-- +goose Up
CREATE TABLE tasks (
	seq          INTEGER PRIMARY KEY AUTOINCREMENT,
	id           TEXT    NOT NULL UNIQUE,
	owner        TEXT    NOT NULL,
	title        TEXT    NOT NULL,
	notes        TEXT    NOT NULL,
	state        TEXT    NOT NULL CHECK (state IN ('open', 'in_progress', 'done')),
	due          TEXT    NOT NULL, -- YYYY-MM-DD; 9999-99-99 for none, which comes last
	priority     INTEGER NOT NULL,
	assignee     TEXT    NOT NULL,
	labels       TEXT    NOT NULL, -- separated by commas
	creator      TEXT    NOT NULL,
	version      INTEGER NOT NULL,
	created_at   INTEGER NOT NULL, -- milliseconds since 1970, as all times; 0 for none
	updated_at   INTEGER NOT NULL,
	completed_at INTEGER NOT NULL,
	deleted_at   INTEGER NOT NULL
);
CREATE INDEX tasks_by_due            ON tasks (owner, due, seq)                   WHERE deleted_at = 0;
CREATE INDEX tasks_by_update         ON tasks (owner, updated_at, seq)            WHERE deleted_at = 0;
CREATE INDEX tasks_by_priority       ON tasks (owner, priority, seq)              WHERE deleted_at = 0;
CREATE INDEX tasks_by_creation       ON tasks (owner, seq)                        WHERE deleted_at = 0;
CREATE INDEX tasks_by_state_due      ON tasks (owner, state, due, seq)            WHERE deleted_at = 0;
CREATE INDEX tasks_by_assignee_due   ON tasks (owner, assignee, due, seq)         WHERE deleted_at = 0;

CREATE TABLE task_labels (
	owner TEXT    NOT NULL,
	label TEXT    NOT NULL,
	task  INTEGER NOT NULL REFERENCES tasks (seq),
	PRIMARY KEY (owner, label, task)
) WITHOUT ROWID;
CREATE INDEX task_labels_by_task ON task_labels (task);

-- The owner is a word of its own column, so that a search reads the owner's tasks only.
CREATE VIRTUAL TABLE task_words USING fts5 (owner, text, content='', contentless_delete=1);
-- +goose StatementBegin
CREATE TRIGGER tasks_words_insert AFTER INSERT ON tasks BEGIN
	INSERT INTO task_words (rowid, owner, text)
	VALUES (new.seq, replace(replace(replace(new.owner, '-', ''), '_', ''), '.', ''), new.title || ' ' || new.notes);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER tasks_words_update AFTER UPDATE OF title, notes ON tasks
WHEN old.title <> new.title OR old.notes <> new.notes BEGIN
	DELETE FROM task_words WHERE rowid = old.seq;
	INSERT INTO task_words (rowid, owner, text)
	VALUES (new.seq, replace(replace(replace(new.owner, '-', ''), '_', ''), '.', ''), new.title || ' ' || new.notes);
END;
-- +goose StatementEnd

CREATE TABLE task_comments (
	seq        INTEGER PRIMARY KEY AUTOINCREMENT,
	id         TEXT    NOT NULL UNIQUE,
	owner      TEXT    NOT NULL,
	task_id    TEXT    NOT NULL REFERENCES tasks (id),
	author     TEXT    NOT NULL,
	text       TEXT    NOT NULL,
	created_at INTEGER NOT NULL,
	deleted_at INTEGER NOT NULL
);
CREATE INDEX task_comments_by_task ON task_comments (owner, task_id, seq) WHERE deleted_at = 0;

-- +goose Down
DROP TABLE task_comments;
DROP TABLE task_words;
DROP TABLE task_labels;
DROP TABLE tasks;
