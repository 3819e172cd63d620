"""What patients have said: every entry ever made (never changed, never deleted), and the statements seen in mail.

``subject`` is "patient:" and the keyed hash of an identifier, or "image:" and the SHA-256 of a picture.
"""

from __future__ import annotations

TABLES = """
CREATE TABLE IF NOT EXISTS consents (
  id TEXT PRIMARY KEY, event TEXT NOT NULL, subject TEXT NOT NULL, status TEXT NOT NULL, rank INTEGER NOT NULL,
  scope TEXT NOT NULL, purposes TEXT NOT NULL, since REAL NOT NULL, noted REAL NOT NULL, actor TEXT NOT NULL,
  role TEXT NOT NULL, reason TEXT NOT NULL, source TEXT NOT NULL, written INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS consents_subject ON consents (subject, noted);
CREATE INDEX IF NOT EXISTS consents_event ON consents (event);
CREATE INDEX IF NOT EXISTS consents_written ON consents (written);
CREATE TABLE IF NOT EXISTS statements (
  id TEXT PRIMARY KEY, message TEXT NOT NULL, outcomes TEXT NOT NULL, at REAL NOT NULL, sender TEXT NOT NULL,
  status TEXT NOT NULL, form TEXT NOT NULL, given_by TEXT NOT NULL, purpose TEXT NOT NULL, scope TEXT NOT NULL,
  dated TEXT NOT NULL, expires TEXT NOT NULL, fates TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS statement_subjects (subject TEXT NOT NULL, statement TEXT NOT NULL, PRIMARY KEY (subject, statement));
CREATE INDEX IF NOT EXISTS statements_at ON statements (at);
"""

ADD = """
INSERT INTO consents (id, event, subject, status, rank, scope, purposes, since, noted, actor, role, reason, source)
VALUES (:id, :event, :subject, :status, :rank, :scope, :purposes, :since, :noted, :actor, :role, :reason, :source)
ON CONFLICT (id) DO NOTHING"""
# The sealed objects are the truth: what they say stands, whatever was read from the journal again meanwhile.
PUT = """
INSERT INTO consents (id, event, subject, status, rank, scope, purposes, since, noted, actor, role, reason, source, written)
VALUES (:id, :event, :subject, :status, :rank, :scope, :purposes, :since, :noted, :actor, :role, :reason, :source, 1)
ON CONFLICT (id) DO UPDATE SET noted = excluded.noted, written = 1"""
HISTORY = "SELECT * FROM consents WHERE subject = :subject ORDER BY noted, rank, id"
OF_EVENT = "SELECT * FROM consents WHERE event = :event ORDER BY subject"
SINCE = "SELECT * FROM consents WHERE noted >= :since ORDER BY noted, event, subject"
# The latest entry counts; of two of the same moment the stricter one (the greater rank).
IN_FORCE = """
SELECT c.subject, c.status, c.scope, c.purposes, c.since FROM consents c WHERE NOT EXISTS (
  SELECT 1 FROM consents n WHERE n.subject = c.subject AND (n.noted > c.noted OR (n.noted = c.noted AND (n.rank > c.rank
    OR (n.rank = c.rank AND n.id > c.id)))))
  AND c.status <> 'restored' ORDER BY c.subject"""
STAMP = "SELECT COUNT(*) AS n, COALESCE(MAX(rowid), 0) AS last FROM consents"
UNWRITTEN = "SELECT * FROM consents WHERE written = 0 ORDER BY noted, id LIMIT :limit"
WRITTEN = "UPDATE consents SET written = 1 WHERE id = :id"

ADD_STATEMENT = """
INSERT INTO statements (id, message, outcomes, at, sender, status, form, given_by, purpose, scope, dated, expires, fates)
VALUES (:id, :message, :outcomes, :at, :sender, :status, :form, :given_by, :purpose, :scope, :dated, :expires, :fates)
ON CONFLICT (id) DO UPDATE SET outcomes = excluded.outcomes, fates = excluded.fates"""
ADD_STATEMENT_SUBJECT = """
INSERT INTO statement_subjects (subject, statement) VALUES (:subject, :statement) ON CONFLICT (subject, statement) DO NOTHING"""
STATEMENTS_OF = """
SELECT s.* FROM statements s JOIN statement_subjects t ON t.statement = s.id WHERE t.subject = :subject ORDER BY s.at, s.id"""
DROP_STATEMENTS = "DELETE FROM statements WHERE at <= :before"
DROP_STATEMENT_SUBJECTS = "DELETE FROM statement_subjects WHERE statement NOT IN (SELECT id FROM statements)"
IMAGES_BESIDE = """
SELECT DISTINCT subject FROM statement_subjects WHERE subject LIKE 'image:%' AND statement IN (
  SELECT statement FROM statement_subjects WHERE subject = :subject)"""

# Emails are searched for by their own outcomes: those that were held or refused are there, too.
OUTCOMES_BY_REF = "SELECT id, ref, created, meta FROM outcomes WHERE ref = :ref ORDER BY created, id"
OUTCOMES_OF_MESSAGE = "SELECT id, ref, created, meta FROM outcomes WHERE message = :message ORDER BY created, id"
OUTCOMES_BETWEEN = """
SELECT id, ref, created, meta FROM outcomes WHERE created >= :since AND created < :until ORDER BY created, id"""

NOT_ERASED = """
SELECT h.id FROM holds h JOIN transitions t ON t.hold = h.id AND t.version = h.version
WHERE h.state = 'REFUSED' AND h.purged IS NULL AND t.reason LIKE :reason"""

SHAPE = "SELECT image, key, shape FROM fingerprints WHERE image = :image"
SHAPES = "SELECT image, key, shape FROM fingerprints WHERE image > :after ORDER BY image LIMIT :limit"
