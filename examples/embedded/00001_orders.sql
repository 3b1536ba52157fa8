-- +goose Up
CREATE TABLE orders (
	id       TEXT   NOT NULL PRIMARY KEY,
	customer TEXT   NOT NULL, -- the organization
	item     TEXT   NOT NULL,
	state    TEXT   NOT NULL DEFAULT 'open',
	CHECK (state IN ('open', 'cancelled'))
);
CREATE TABLE stock (
	item   TEXT   NOT NULL PRIMARY KEY,
	number BIGINT NOT NULL
);
INSERT INTO stock VALUES ('teapot', 10);
