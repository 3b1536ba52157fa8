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

CREATE TABLE activity (
	owner        TEXT    NOT NULL,
	seq          INTEGER NOT NULL,
	id           TEXT    NOT NULL UNIQUE,
	at           INTEGER NOT NULL,
	subject      TEXT    NOT NULL,
	client       TEXT    NOT NULL,
	operation    TEXT    NOT NULL,
	target       TEXT    NOT NULL,
	before       TEXT    NOT NULL, -- JSON; empty for none
	after        TEXT    NOT NULL,
	outcome      TEXT    NOT NULL,
	refers_to    TEXT    NOT NULL, -- the activity that this one finishes or undoes
	request      TEXT    NOT NULL,
	conversation TEXT    NOT NULL,
	hash         TEXT    NOT NULL, -- over the row and the hash before it
	PRIMARY KEY (owner, seq)
);
CREATE INDEX activity_by_subject  ON activity (owner, subject, seq);
CREATE INDEX activity_by_target   ON activity (owner, target, seq);
CREATE INDEX activity_by_referral ON activity (owner, refers_to);

CREATE TABLE activity_heads (
	owner TEXT    PRIMARY KEY,
	seq   INTEGER NOT NULL,
	hash  TEXT    NOT NULL
);

CREATE TABLE replies (
	key        TEXT    PRIMARY KEY, -- hash of owner, subject, client, operation and key
	body       TEXT    NOT NULL,    -- hash of the request
	reply      TEXT    NOT NULL,    -- JSON; empty while the call is under way
	expires_at INTEGER NOT NULL
);
CREATE INDEX replies_by_expiry ON replies (expires_at);

-- +goose Down
DROP TABLE replies;
DROP TABLE activity_heads;
DROP TABLE activity;
DROP TABLE task_comments;
DROP TABLE task_words;
DROP TABLE task_labels;
DROP TABLE tasks;
