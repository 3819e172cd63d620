"""Holds, their recipients and their history."""

from __future__ import annotations

TABLES = """
CREATE TABLE IF NOT EXISTS holds (
  id TEXT PRIMARY KEY, ref TEXT NOT NULL, message TEXT NOT NULL, state TEXT NOT NULL, version INTEGER NOT NULL,
  created REAL NOT NULL, deadline REAL NOT NULL, action TEXT NOT NULL, rule TEXT NOT NULL, reasons TEXT NOT NULL,
  releases TEXT NOT NULL, key TEXT NOT NULL, urgency TEXT NOT NULL, alert INTEGER NOT NULL, notice TEXT,
  answers TEXT NOT NULL,
  sender TEXT NOT NULL, sender_kind TEXT NOT NULL, owner TEXT NOT NULL, complete INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, next_try REAL, round INTEGER NOT NULL DEFAULT 0, release TEXT,
  reminded REAL, escalated REAL, alarmed REAL, closed REAL, purged REAL, forgotten REAL);
CREATE INDEX IF NOT EXISTS holds_state ON holds (state, next_try);
CREATE INDEX IF NOT EXISTS holds_closed ON holds (closed);
CREATE INDEX IF NOT EXISTS holds_message ON holds (message);
CREATE INDEX IF NOT EXISTS holds_ref ON holds (ref);
CREATE TABLE IF NOT EXISTS recipients (
  hold TEXT NOT NULL, position INTEGER NOT NULL, address TEXT NOT NULL, notify TEXT, orcpt TEXT,
  state TEXT NOT NULL, code TEXT NOT NULL DEFAULT '', PRIMARY KEY (hold, position));
CREATE TABLE IF NOT EXISTS transitions (
  hold TEXT NOT NULL, version INTEGER NOT NULL, at REAL NOT NULL, event TEXT NOT NULL, source TEXT NOT NULL,
  target TEXT NOT NULL, actor TEXT NOT NULL, role TEXT NOT NULL, reason TEXT NOT NULL, noted INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (hold, version));
CREATE INDEX IF NOT EXISTS transitions_noted ON transitions (noted);
"""

ADD_HOLD = """
INSERT INTO holds (id, ref, message, state, version, created, deadline, action, rule, reasons, releases, key,
  urgency, alert,
  notice, answers, sender, sender_kind, owner, complete, next_try)
VALUES (:id, :ref, :message, :state, 0, :created, :deadline, :action, :rule, :reasons, :releases, :key, :urgency, :alert,
  :notice, :answers, :sender, :sender_kind, :owner, :complete, :next_try)
ON CONFLICT (id) DO NOTHING"""
COMPLETE_HOLD = """
UPDATE holds SET ref = :ref, message = :message, state = :state, created = :created, deadline = :deadline, action = :action,
  rule = :rule, reasons = :reasons, releases = :releases, urgency = :urgency, alert = :alert,
  notice = :notice, answers = :answers,
  sender = :sender, sender_kind = :sender_kind, owner = :owner, complete = :complete, next_try = :next_try,
  key = :key
WHERE id = :id AND complete < :complete AND version = 0"""
ADD_RECIPIENT = """
INSERT INTO recipients (hold, position, address, notify, orcpt, state) VALUES (:hold, :position, :address,
  :notify, :orcpt, 'held')
ON CONFLICT (hold, position) DO UPDATE SET notify = excluded.notify, orcpt = excluded.orcpt
  WHERE excluded.orcpt IS NOT NULL OR excluded.notify IS NOT NULL"""
HOLD = "SELECT * FROM holds WHERE id = :id"
HOLDS_BY_REF = """
SELECT * FROM holds WHERE ref = :ref OR id = :ref OR message IN (SELECT message FROM outcomes WHERE ref = :ref AND message <> '')
ORDER BY created, id"""
HOLDS_OF_SENDER = "SELECT * FROM holds WHERE state = :state AND lower(sender) = lower(:sender) ORDER BY created, id"
HOLDS = "SELECT * FROM holds ORDER BY created, id"
HOLDS_OPEN = "SELECT * FROM holds WHERE closed IS NULL ORDER BY created, id"
HOLDS_IN = "SELECT * FROM holds WHERE state = :state ORDER BY created, id"
HOLDS_OF = "SELECT * FROM holds WHERE message = :message ORDER BY created, id"
HOLDS_READY = """
SELECT * FROM holds WHERE state = :state AND (next_try IS NULL OR next_try <= :now) ORDER BY next_try,
  created, id LIMIT :limit"""
RECIPIENTS = "SELECT * FROM recipients WHERE hold = :hold ORDER BY position"
SET_RECIPIENT = "UPDATE recipients SET state = :state, code = :code WHERE hold = :hold AND address = :address"
# Compare-and-set: no row changes unless state and version are what the caller saw.
MOVE = """
UPDATE holds SET state = :target, version = version + 1, next_try = :next_try, attempts = :attempts, deadline = :deadline,
  round = :round, release = :release, closed = :closed
WHERE id = :id AND state = :source AND version = :version"""
ADD_TRANSITION = """
INSERT INTO transitions (hold, version, at, event, source, target, actor, role, reason)
VALUES (:hold, :version, :at, :event, :source, :target, :actor, :role, :reason) ON CONFLICT (hold, version) DO NOTHING"""
UNNOTED = "SELECT * FROM transitions WHERE noted = 0 ORDER BY hold, version LIMIT :limit"
NOTED = "UPDATE transitions SET noted = 1 WHERE hold = :hold AND version = :version"
RESTORE = """
UPDATE holds SET state = :state, version = :version, next_try = :next_try, attempts = :attempts, deadline = :deadline,
  round = :round, release = :release, closed = :closed, key = :key
WHERE id = :id AND version <= :version"""
TRANSITIONS = "SELECT * FROM transitions WHERE hold = :hold ORDER BY version"
SET_KEY = "UPDATE holds SET key = :key WHERE id = :id"
LATER = "UPDATE holds SET attempts = attempts + 1, next_try = :next_try WHERE id = :id AND state = :state"
MARKS = {
    "reminded": "UPDATE holds SET reminded = :at WHERE id = :id",
    "escalated": "UPDATE holds SET escalated = :at WHERE id = :id",
    "alarmed": "UPDATE holds SET alarmed = :at WHERE id = :id",
    "purged": "UPDATE holds SET purged = :at WHERE id = :id",
}
FORGET = "UPDATE holds SET sender = '', owner = '', forgotten = :at WHERE id = :id"
FORGET_RECIPIENTS = "UPDATE recipients SET address = '', orcpt = NULL WHERE hold = :id"
PURGEABLE = """
SELECT * FROM holds WHERE closed IS NOT NULL AND closed <= :before AND purged IS NULL ORDER BY closed LIMIT :limit"""
FORGETTABLE = """
SELECT * FROM holds WHERE purged IS NOT NULL AND closed <= :before AND forgotten IS NULL ORDER BY closed LIMIT :limit"""
UNNOTICED = """
SELECT * FROM holds h WHERE closed IS NULL AND alarmed IS NULL AND created <= :before AND action <>
  'DEFERRED' AND NOT EXISTS (
  SELECT 1 FROM outbox o WHERE o.state = 'done' AND o.kind <> 'desk' AND
    (o.hold = h.id OR (o.message = h.message AND h.message <> '')))
ORDER BY created"""
COUNT_STATES = "SELECT state, COUNT(*) AS n, MIN(created) AS oldest FROM holds GROUP BY state"
