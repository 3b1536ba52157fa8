-- +goose Up
-- Words of text without spaces are found, too. The program fills the index, see words.go.
ALTER TABLE tasks ALTER COLUMN words DROP EXPRESSION;

CREATE TABLE indexing (
	done BIGINT NOT NULL, -- tasks up to this seq are indexed again
	last BIGINT NOT NULL  -- and up to this one it is needed
);
INSERT INTO indexing (done, last) SELECT 0, coalesce(max(seq), 0) FROM tasks;

-- +goose Down
DROP TABLE indexing;
ALTER TABLE tasks DROP COLUMN words;
ALTER TABLE tasks ADD COLUMN words TSVECTOR GENERATED ALWAYS AS
	(to_tsvector('simple'::regconfig, title || ' ' || notes) || array_to_tsvector(ARRAY['owner:' || owner])) STORED;
CREATE INDEX tasks_by_word ON tasks USING gin (words) WHERE deleted_at = 0;
