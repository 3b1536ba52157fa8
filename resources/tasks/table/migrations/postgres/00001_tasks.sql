-- +goose Up
CREATE TABLE tasks (
	seq          BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	id           TEXT    NOT NULL UNIQUE,
	owner        TEXT    NOT NULL,
	title        TEXT    NOT NULL,
	notes        TEXT    NOT NULL,
	state        TEXT    NOT NULL CHECK (state IN ('open', 'in_progress', 'done')),
	due          TEXT    NOT NULL, -- YYYY-MM-DD; 9999-99-99 for none, which comes last
	priority     BIGINT  NOT NULL,
	assignee     TEXT    NOT NULL,
	labels       TEXT    NOT NULL, -- separated by commas
	creator      TEXT    NOT NULL,
	version      BIGINT  NOT NULL,
	created_at   BIGINT  NOT NULL, -- milliseconds since 1970, as all times; 0 for none
	updated_at   BIGINT  NOT NULL,
	completed_at BIGINT  NOT NULL,
	deleted_at   BIGINT  NOT NULL
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
	task  BIGINT  NOT NULL REFERENCES tasks (seq),
	PRIMARY KEY (owner, label, task)
);
CREATE INDEX task_labels_by_task ON task_labels (task);

-- The owner is a word of the search as well, so that a search reads the owner's tasks only.
ALTER TABLE tasks ADD COLUMN words TSVECTOR GENERATED ALWAYS AS
	(to_tsvector('simple'::regconfig, title || ' ' || notes) || array_to_tsvector(ARRAY['owner:' || owner])) STORED;
CREATE INDEX tasks_by_word ON tasks USING gin (words) WHERE deleted_at = 0;

CREATE TABLE task_comments (
	seq        BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	id         TEXT    NOT NULL UNIQUE,
	owner      TEXT    NOT NULL,
	task_id    TEXT    NOT NULL REFERENCES tasks (id),
	author     TEXT    NOT NULL,
	text       TEXT    NOT NULL,
	created_at BIGINT  NOT NULL,
	deleted_at BIGINT  NOT NULL
);
CREATE INDEX task_comments_by_task ON task_comments (owner, task_id, seq) WHERE deleted_at = 0;

-- +goose Down
DROP TABLE task_comments;
DROP TABLE task_labels;
DROP TABLE tasks;
