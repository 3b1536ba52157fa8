-- +goose Up
-- What people have used through which connected app, and when.
CREATE TABLE connections (
	owner      TEXT NOT NULL,
	subject    TEXT NOT NULL,
	client     TEXT NOT NULL,
	scopes     TEXT NOT NULL, -- of the last token, separated by spaces
	first_used INTEGER NOT NULL,
	last_used  INTEGER NOT NULL,
	PRIMARY KEY (owner, subject, client)
);
CREATE INDEX connections_by_use ON connections (owner, last_used);

CREATE TABLE denials (
	subject    TEXT NOT NULL,
	client     TEXT NOT NULL,
	owner      TEXT NOT NULL,
	revoked_at INTEGER NOT NULL, -- tokens issued until then are refused
	expires_at INTEGER NOT NULL, -- when the last of them has ended
	retry_at   INTEGER NOT NULL, -- when Stytch is asked again to revoke, until which every token is refused; 0 when it has
	PRIMARY KEY (subject, client)
);

-- +goose Down
DROP TABLE denials;
DROP TABLE connections;
