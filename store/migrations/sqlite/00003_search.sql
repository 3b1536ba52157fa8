-- +goose Up
-- What this changed are tables of resources/tasks now. Databases have its number all the same.
SELECT 1;

-- +goose Down
SELECT 1;
