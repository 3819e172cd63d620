"""Recall letters (R-4): drafted when a patient says no, approved or dropped by people, sent by the outbox, answered by others.

Whether a letter is on its way stands in the outbox under "R-4:" and its id, and is asked there.
"""

from __future__ import annotations

TABLES = """
CREATE TABLE IF NOT EXISTS recalls (
  id TEXT PRIMARY KEY, event TEXT NOT NULL, recipient TEXT NOT NULL, address TEXT NOT NULL, domain TEXT NOT NULL,
  mails TEXT NOT NULL, state TEXT NOT NULL, drafted REAL NOT NULL, drafted_by TEXT NOT NULL, decided REAL,
  decided_by TEXT NOT NULL DEFAULT '', answered REAL, answered_by TEXT NOT NULL DEFAULT '', reminded REAL,
  forgotten REAL, version INTEGER NOT NULL DEFAULT 0, written INTEGER NOT NULL DEFAULT -1);
CREATE INDEX IF NOT EXISTS recalls_event ON recalls (event);
CREATE INDEX IF NOT EXISTS recalls_recipient ON recalls (recipient);
CREATE TABLE IF NOT EXISTS recall_images (recall TEXT NOT NULL, outcome TEXT NOT NULL, image TEXT NOT NULL,
  PRIMARY KEY (recall, outcome, image));
"""

_SELECT = """
SELECT r.*, o.state AS sending, o.done AS said FROM recalls r LEFT JOIN outbox o ON o.dedup = 'R-4:' || r.id"""
ADD = """
INSERT INTO recalls (id, event, recipient, address, domain, mails, state, drafted, drafted_by)
VALUES (:id, :event, :recipient, :address, :domain, :mails, :state, :drafted, :drafted_by) ON CONFLICT (id) DO NOTHING"""
PUT = """
INSERT INTO recalls (id, event, recipient, address, domain, mails, state, drafted, drafted_by, decided, decided_by, answered,
  answered_by, reminded, version, written)
VALUES (:id, :event, :recipient, :address, :domain, :mails, :state, :drafted, :drafted_by, :decided, :decided_by, :answered,
  :answered_by, :reminded, :version, :version)
ON CONFLICT (id) DO NOTHING"""
ADD_IMAGE = """
INSERT INTO recall_images (recall, outcome, image) VALUES (:recall, :outcome, :image)
ON CONFLICT (recall, outcome, image) DO NOTHING"""
# What one recipient has been asked about already, or shall be.  A letter that was dropped does not count, nor one after which the
# patient agreed again: the recipient may have been told so.
ASKED = """
SELECT i.outcome, i.image FROM recall_images i JOIN recalls r ON r.id = i.recall
WHERE r.recipient = :recipient AND r.state <> 'dropped' AND NOT EXISTS (
  SELECT 1 FROM consents c JOIN consents n ON n.subject = c.subject WHERE c.event = r.event AND n.status = 'restored'
    AND n.noted > c.noted AND (n.subject LIKE 'patient:%' OR n.subject = 'image:' || i.image))"""
IMAGES = "SELECT outcome, image FROM recall_images WHERE recall = :recall ORDER BY outcome, image"
ONE = _SELECT + " WHERE r.id = :id"
LIKE = _SELECT + " WHERE r.id LIKE :id ORDER BY r.id"
ALL = _SELECT + " ORDER BY r.drafted, r.id"
OF_EVENT = _SELECT + " WHERE r.event = :event ORDER BY r.domain, r.id"
# Compare-and-set: no row changes unless its state and version are what the caller saw.
DECIDE = """
UPDATE recalls SET state = :target, decided = :at, decided_by = :by, version = version + 1
WHERE id = :id AND state = :source AND version = :version"""
ANSWER = """
UPDATE recalls SET state = :target, answered = :at, answered_by = :by, version = version + 1
WHERE id = :id AND state = :source AND version = :version"""
# Only what nobody has approved yet may say more than it did.
EXTEND = "UPDATE recalls SET mails = :mails, version = version + 1 WHERE id = :id AND state = 'draft'"
REMINDED = "UPDATE recalls SET reminded = :at, version = version + 1 WHERE id = :id"
UNWRITTEN = _SELECT + " WHERE r.written < r.version AND r.forgotten IS NULL ORDER BY r.drafted, r.id LIMIT :limit"
WRITTEN = "UPDATE recalls SET written = :version WHERE id = :id"
FORGETTABLE = (
    _SELECT
    + """
 WHERE r.forgotten IS NULL AND COALESCE(r.answered, r.decided, r.drafted) <= :before
ORDER BY r.drafted LIMIT :limit"""
)
FORGET = "UPDATE recalls SET address = '', mails = '[]', forgotten = :at WHERE id = :id"
