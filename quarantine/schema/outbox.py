"""Notices promised and sent."""

from __future__ import annotations

TABLES = """
CREATE TABLE IF NOT EXISTS outbox (
  id INTEGER PRIMARY KEY, dedup TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, message TEXT NOT NULL, hold TEXT NOT NULL,
  recipient TEXT NOT NULL, role TEXT NOT NULL, merge TEXT NOT NULL, due REAL NOT NULL, created REAL NOT NULL,
  detail TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'pending',
  code TEXT NOT NULL DEFAULT '', done REAL);
CREATE INDEX IF NOT EXISTS outbox_due ON outbox (state, due);
"""

OUTBOX_ADD = """
INSERT INTO outbox (dedup, kind, message, hold, recipient, role, merge, due, created, detail)
VALUES (:dedup, :kind, :message, :hold, :recipient, :role, :merge, :due, :created,
  :detail) ON CONFLICT (dedup) DO NOTHING"""
OUTBOX_DUE = "SELECT * FROM outbox WHERE state = 'pending' AND due <= :now ORDER BY due, id LIMIT :limit"
OUTBOX_MERGED = """
SELECT * FROM outbox WHERE state = 'pending' AND merge = :merge AND kind LIKE :kind AND recipient = :recipient AND hold = :hold
ORDER BY id"""
OUTBOX_STATE = "SELECT state FROM outbox WHERE dedup = :dedup"
OUTBOX_DONE = "UPDATE outbox SET state = :state, code = :code, done = :now WHERE id = :id AND state = 'pending'"
OUTBOX_RETRY = "UPDATE outbox SET attempts = attempts + 1, due = :due, code = :code WHERE id = :id AND state = 'pending'"
OUTBOX_WAITING = "SELECT due, attempts FROM outbox WHERE state = 'pending'"
OUTBOX_SENT = """
SELECT COUNT(*) AS n FROM outbox WHERE kind = :kind AND recipient = :recipient AND state IN ('done', 'pending')"""
OUTBOX_LAST = """
SELECT MAX(created) AS last FROM outbox WHERE kind = :kind AND recipient = :recipient AND state IN ('done', 'pending')"""
OUTBOX_FORGET = "UPDATE outbox SET recipient = '' WHERE state <> 'pending' AND done <= :before AND recipient <> ''"
OUTBOX_CANCEL = """
UPDATE outbox SET state = 'dropped', code = :code, done = :now
WHERE state = 'pending' AND hold = :hold AND kind IN ('N-1r', 'N-7', 'alert', 'desk')"""
OUTBOX_OF = """
SELECT * FROM outbox WHERE (message <> '' AND message = :message) OR (merge <> '' AND merge = :merge)
  OR (hold <> '' AND hold IN (SELECT id FROM holds WHERE message = :message)) ORDER BY created, id"""
