-- From nothing to schema 1: studies, their logs, leases and snapshots.

-- name: study
CREATE TABLE study (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    created REAL NOT NULL,
    seq INTEGER NOT NULL,
    decisions INTEGER NOT NULL,
    epoch INTEGER NOT NULL
);

-- name: entry
CREATE TABLE entry (
    study INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    trial INTEGER,
    body BLOB NOT NULL,
    PRIMARY KEY (study, seq)
) WITHOUT ROWID;

-- name: entry_trial
CREATE INDEX entry_trial ON entry (study, trial, seq) WHERE trial IS NOT NULL;

-- name: lease
CREATE TABLE lease (
    study INTEGER NOT NULL,
    runner TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    owner BLOB NOT NULL,
    PRIMARY KEY (study, runner)
) WITHOUT ROWID;

-- name: snapshot
CREATE TABLE snapshot (
    study INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    decisions INTEGER NOT NULL,
    version TEXT NOT NULL,
    body BLOB NOT NULL
);

-- name: application
-- The letters RUNG as a number.
PRAGMA application_id = 1381322311;

-- name: version
PRAGMA user_version = 1;
