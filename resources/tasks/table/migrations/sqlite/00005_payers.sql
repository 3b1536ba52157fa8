-- +goose Up
-- Who is counted for the task: whoever made it bigger last (task.go says when). Empty is its creator, so that
-- no row has to be written anew.
ALTER TABLE tasks ADD COLUMN payer TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE tasks DROP COLUMN payer;
