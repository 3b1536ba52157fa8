-- +goose Up
-- Each term begins with a mark of its owner (words.go), so that a search does not compare its words' entries with those
-- of all tasks of the owner. The program fills the index anew before it starts, or goes on where it was interrupted.
DROP TABLE task_words;
CREATE VIRTUAL TABLE task_words USING fts5 (units, pairs, content='', contentless_delete=1, tokenize='ascii');
INSERT INTO task_words (task_words, rank) VALUES ('automerge', 2);
UPDATE indexing SET done = 0, last = (SELECT coalesce(max(seq), 0) FROM tasks);

-- +goose Down
-- The program of before fills the index anew at its start.
DROP TABLE task_words;
CREATE VIRTUAL TABLE task_words USING fts5 (owner, units, pairs, content='', contentless_delete=1, tokenize='ascii');
UPDATE indexing SET done = 0, last = (SELECT coalesce(max(seq), 0) FROM tasks);
