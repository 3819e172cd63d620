"""What became of every recipient of a message."""

from __future__ import annotations

TABLES = """
CREATE TABLE IF NOT EXISTS outcomes (
  id TEXT PRIMARY KEY, ref TEXT NOT NULL, message TEXT NOT NULL, merge TEXT NOT NULL, created REAL NOT NULL,
  meta TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS outcomes_message ON outcomes (message);
CREATE INDEX IF NOT EXISTS outcomes_merge ON outcomes (merge);
"""

ADD_OUTCOME = """
INSERT INTO outcomes (id, ref, message, merge, created, meta) VALUES (:id, :ref, :message, :merge, :created, :meta)
ON CONFLICT (id) DO NOTHING"""
OUTCOMES_OF = "SELECT * FROM outcomes WHERE message = :message ORDER BY created, id"
OUTCOMES_MERGED = "SELECT * FROM outcomes WHERE merge = :merge ORDER BY created, id"
OLD_OUTCOMES = """
SELECT id, message FROM outcomes o WHERE created <= :before AND NOT EXISTS (
  SELECT 1 FROM holds h WHERE h.message = o.message AND h.closed IS NULL) ORDER BY created LIMIT :limit"""
DROP_OUTCOME = "DELETE FROM outcomes WHERE id = :id"
METAS = "SELECT id, meta FROM outcomes WHERE id IN ({ids})"
BY_REF = "SELECT message FROM outcomes WHERE ref = :ref AND message <> '' AND message NOT LIKE 'release:%'"
