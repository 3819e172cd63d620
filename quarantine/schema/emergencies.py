"""Emergencies (break-glass): what went on the emergency word, and what the IG team found.  ``reason`` is sealed to ``review``."""

from __future__ import annotations

TABLES = """
CREATE TABLE IF NOT EXISTS emergencies (
  id TEXT PRIMARY KEY, ref TEXT NOT NULL, hold TEXT NOT NULL, merge TEXT NOT NULL, sender TEXT NOT NULL, at REAL NOT NULL,
  due REAL NOT NULL, way TEXT NOT NULL, reason TEXT NOT NULL, version INTEGER NOT NULL, noted INTEGER NOT NULL DEFAULT 0,
  verdict TEXT NOT NULL DEFAULT '', reviewer TEXT NOT NULL DEFAULT '', reviewed REAL, informed TEXT NOT NULL DEFAULT '',
  code TEXT NOT NULL DEFAULT '', reminded REAL, escalated REAL, forgotten REAL);
CREATE INDEX IF NOT EXISTS emergencies_open ON emergencies (reviewed, due);
CREATE INDEX IF NOT EXISTS emergencies_sender ON emergencies (sender, at);
CREATE TABLE IF NOT EXISTS emergency_people (
  emergency TEXT NOT NULL, address TEXT NOT NULL, class TEXT NOT NULL, rule TEXT NOT NULL, method TEXT NOT NULL,
  at REAL NOT NULL, PRIMARY KEY (emergency, address));
"""

ADD = """
INSERT INTO emergencies (id, ref, hold, merge, sender, at, due, way, reason, version)
VALUES (:id, :ref, :hold, :merge, :sender, :at, :due, :way, :reason, 1) ON CONFLICT (id) DO NOTHING"""
ADD_PERSON = """
INSERT INTO emergency_people (emergency, address, class, rule, method, at)
VALUES (:emergency, :address, :class, :rule, :method, :at) ON CONFLICT (emergency, address) DO NOTHING"""
PEOPLE = "SELECT * FROM emergency_people WHERE emergency = :emergency ORDER BY at, address"
GET = "SELECT * FROM emergencies WHERE id = :id"
FIND = """
SELECT * FROM emergencies WHERE ref = :ref OR id = :ref
  OR (merge <> '' AND merge IN (SELECT merge FROM outcomes WHERE ref = :ref))
  OR (hold <> '' AND hold IN (SELECT id FROM holds WHERE ref = :ref OR id = :ref)) ORDER BY at, id"""
ALL = "SELECT * FROM emergencies WHERE forgotten IS NULL ORDER BY at, id"
OPEN = "SELECT * FROM emergencies WHERE reviewed IS NULL ORDER BY due, at, id"
BETWEEN = "SELECT * FROM emergencies WHERE at >= :since AND at < :until ORDER BY at, id"
OF_SENDER = """
SELECT * FROM emergencies WHERE lower(sender) = lower(:sender) AND at > :since AND at <= :until ORDER BY at, id"""
GROWN = "UPDATE emergencies SET version = version + 1 WHERE id = :id"
# Compare-and-set: nothing changes unless the version is what the reviewer saw.
REVIEW = """
UPDATE emergencies SET verdict = :verdict, reviewer = :reviewer, reviewed = :reviewed, informed = :informed, code = :code,
  version = version + 1 WHERE id = :id AND version = :version"""
MARKS = {
    "reminded": "UPDATE emergencies SET reminded = :at WHERE id = :id",
    "escalated": "UPDATE emergencies SET escalated = :at WHERE id = :id",
}
UNNOTED = "SELECT * FROM emergencies WHERE noted < version AND forgotten IS NULL ORDER BY at, id LIMIT :limit"
NOTED = "UPDATE emergencies SET noted = :version WHERE id = :id AND noted < :version"
RESTORE = """
INSERT INTO emergencies (id, ref, hold, merge, sender, at, due, way, reason, version, noted, verdict, reviewer, reviewed,
  informed, code, reminded, escalated)
VALUES (:id, :ref, :hold, :merge, :sender, :at, :due, :way, :reason, :version, :version, :verdict, :reviewer, :reviewed,
  :informed, :code, :reminded, :escalated)
ON CONFLICT (id) DO UPDATE SET ref = excluded.ref, hold = excluded.hold, way = excluded.way, reason = excluded.reason,
  version = excluded.version, noted = excluded.noted, verdict = excluded.verdict, reviewer = excluded.reviewer,
  reviewed = excluded.reviewed, informed = excluded.informed, code = excluded.code, reminded = excluded.reminded,
  escalated = excluded.escalated, due = excluded.due WHERE emergencies.version <= excluded.version"""
FORGETTABLE = """
SELECT * FROM emergencies WHERE reviewed IS NOT NULL AND at <= :before AND forgotten IS NULL ORDER BY at LIMIT :limit"""
FORGET = "UPDATE emergencies SET sender = '', reason = '', merge = '', hold = '', forgotten = :at WHERE id = :id"
FORGET_PEOPLE = "UPDATE OR IGNORE emergency_people SET address = 'forgotten-' || rowid WHERE emergency = :id"
