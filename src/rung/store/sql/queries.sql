-- name: identity
-- In one statement, so that no other process can fill the file between the answers.
SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)
FROM pragma_application_id, pragma_user_version;

-- name: write_ahead
PRAGMA journal_mode = WAL;

-- name: synchronous
-- FULL: the log file is flushed at every commit, so an append that returned survives a power cut.
PRAGMA synchronous = FULL;

-- name: plain_delete
-- Deleted rows need no overwriting with zeros, which some builds do by default.
PRAGMA secure_delete = OFF;

-- name: log_size
-- After a checkpoint the write-ahead log shrinks to this many bytes.
PRAGMA journal_size_limit = 67108864;

-- name: data_version
PRAGMA data_version;

-- name: begin
BEGIN IMMEDIATE;

-- name: commit
COMMIT;

-- name: rollback
ROLLBACK;

-- name: create_study
INSERT INTO study (name, created, seq, decisions, epoch) VALUES (?1, ?2, ?3, ?4, 0);

-- name: studies
SELECT name, created, seq, decisions FROM study ORDER BY id;

-- name: find_study
SELECT id, seq, decisions FROM study WHERE name = ?1;

-- name: delete_study
DELETE FROM study WHERE id = ?1;

-- name: delete_entries
DELETE FROM entry WHERE study = ?1;

-- name: delete_leases
DELETE FROM lease WHERE study = ?1;

-- name: delete_snapshot
DELETE FROM snapshot WHERE study = ?1;

-- name: advance
-- The check and the count in one statement: no row comes back when the study, `after` or the lease does not fit.
UPDATE study SET seq = seq + ?2, decisions = decisions + ?3
WHERE name = ?1
    AND (?4 IS NULL OR decisions = ?4)
    AND (
        ?6 IS NULL
        OR EXISTS (SELECT 1 FROM lease WHERE lease.study = study.id AND lease.runner = ?5 AND lease.epoch = ?6)
    )
RETURNING id, seq, decisions;

-- name: append_entry
INSERT INTO entry (study, seq, kind, trial, body) VALUES (?1, ?2, ?3, ?4, ?5);

-- name: read
SELECT seq, kind, body FROM entry WHERE study = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3;

-- name: read_trial
-- INDEXED BY: left to itself, the planner walks the whole log.
SELECT seq, kind, body FROM entry INDEXED BY entry_trial
WHERE study = ?1 AND trial = ?4 AND seq > ?2 ORDER BY seq LIMIT ?3;

-- name: next_epoch
UPDATE study SET epoch = epoch + 1 WHERE name = ?1 RETURNING id, epoch;

-- name: put_lease
INSERT OR REPLACE INTO lease (study, runner, epoch, counter, owner) VALUES (?1, ?2, ?3, 0, ?4);

-- name: find_lease
SELECT 1 FROM lease WHERE study = ?1 AND runner = ?2 AND epoch = ?3;

-- name: renew_lease
UPDATE lease SET counter = counter + 1
WHERE study = (SELECT id FROM study WHERE name = ?1) AND runner = ?2 AND epoch = ?3
RETURNING counter;

-- name: release_lease
DELETE FROM lease WHERE study = (SELECT id FROM study WHERE name = ?1) AND runner = ?2 AND epoch = ?3;

-- name: leases
SELECT epoch, counter, owner FROM lease WHERE study = ?1 ORDER BY epoch;

-- name: put_snapshot
INSERT INTO snapshot (study, seq, decisions, version, body) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (study) DO UPDATE
    SET seq = excluded.seq, decisions = excluded.decisions, version = excluded.version, body = excluded.body
    WHERE excluded.seq >= snapshot.seq;

-- name: snapshot
SELECT seq, decisions, version, body FROM snapshot WHERE study = ?1;
