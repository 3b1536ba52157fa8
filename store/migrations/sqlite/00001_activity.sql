-- +goose Up
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
