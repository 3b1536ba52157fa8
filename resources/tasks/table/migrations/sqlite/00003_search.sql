-- +goose Up
-- Words of text without spaces are found, too. The program fills the index, see words.go.
DROP TRIGGER tasks_words_insert;
DROP TRIGGER tasks_words_update;
DROP TABLE task_words;
-- The tokenizer only cuts at spaces. The owner is a word of its own column, so that a search
-- reads the owner's tasks only.
CREATE VIRTUAL TABLE task_words USING fts5 (owner, units, pairs, content='', contentless_delete=1, tokenize='ascii');

CREATE TABLE indexing (
	done INTEGER NOT NULL, -- tasks up to this seq are indexed again
	last INTEGER NOT NULL  -- and up to this one it is needed
);
INSERT INTO indexing (done, last) SELECT 0, coalesce(max(seq), 0) FROM tasks;

-- +goose Down
DROP TABLE indexing;
DROP TABLE task_words;
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

INSERT INTO task_words (rowid, owner, text)
	SELECT seq, replace(replace(replace(owner, '-', ''), '_', ''), '.', ''), title || ' ' || notes FROM tasks;
