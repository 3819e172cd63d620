"""Every SQL statement of the records, in one file, so that another database can follow.

Named parameters only; portable SQL (``INSERT … ON CONFLICT``, no vendor functions).  Times are POSIX seconds.
The database is confidential (it holds addresses of senders and recipients) but holds no content, subject or file name.
"""

from __future__ import annotations

VERSION = 1

TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
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
CREATE TABLE IF NOT EXISTS outcomes (
  id TEXT PRIMARY KEY, ref TEXT NOT NULL, message TEXT NOT NULL, merge TEXT NOT NULL, created REAL NOT NULL,
  meta TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS outcomes_message ON outcomes (message);
CREATE INDEX IF NOT EXISTS outcomes_merge ON outcomes (merge);
CREATE TABLE IF NOT EXISTS outbox (
  id INTEGER PRIMARY KEY, dedup TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, message TEXT NOT NULL, hold TEXT NOT NULL,
  recipient TEXT NOT NULL, role TEXT NOT NULL, merge TEXT NOT NULL, due REAL NOT NULL, created REAL NOT NULL,
  detail TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'pending',
  code TEXT NOT NULL DEFAULT '', done REAL);
CREATE INDEX IF NOT EXISTS outbox_due ON outbox (state, due);
CREATE TABLE IF NOT EXISTS hold_images (hold TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (hold, sha256));
CREATE TABLE IF NOT EXISTS disclosures (
  outcome TEXT NOT NULL, image TEXT NOT NULL, scrubbed TEXT NOT NULL, recipient TEXT NOT NULL, sender TEXT NOT NULL,
  at REAL NOT NULL, until REAL NOT NULL, rule TEXT NOT NULL, method TEXT NOT NULL, consent TEXT NOT NULL,
  covered INTEGER NOT NULL,
  PRIMARY KEY (outcome, image, recipient));
CREATE INDEX IF NOT EXISTS disclosures_recipient ON disclosures (recipient, sender);
CREATE TABLE IF NOT EXISTS scrubbed (image TEXT NOT NULL, scrubbed TEXT NOT NULL, PRIMARY KEY (image, scrubbed));
CREATE TABLE IF NOT EXISTS pairs (sender TEXT NOT NULL, recipient TEXT NOT NULL, first REAL NOT NULL,
  PRIMARY KEY (sender, recipient));
CREATE TABLE IF NOT EXISTS inline_seen (
  sha256 TEXT NOT NULL, sender TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (sha256, sender));
CREATE TABLE IF NOT EXISTS withdrawals (patient TEXT PRIMARY KEY, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS journal (segment TEXT PRIMARY KEY, offset INTEGER NOT NULL);
"""
# What a rebuild empties: all that the objects can say again.  The outbox stays (a notice sent stays sent), and so do the
# journal's own tables (its segments are read by offset).
REBUILT = ("holds", "recipients", "transitions", "outcomes", "hold_images", "disclosures")

SET_FACT = "INSERT INTO facts (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
GET_FACT = "SELECT value FROM facts WHERE name = :name"

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

ADD_OUTCOME = """
INSERT INTO outcomes (id, ref, message, merge, created, meta) VALUES (:id, :ref, :message, :merge, :created, :meta)
ON CONFLICT (id) DO NOTHING"""
OUTCOMES_OF = "SELECT * FROM outcomes WHERE message = :message ORDER BY created, id"
OUTCOMES_MERGED = "SELECT * FROM outcomes WHERE merge = :merge ORDER BY created, id"
OLD_OUTCOMES = """
SELECT id, message FROM outcomes o WHERE created <= :before AND NOT EXISTS (
  SELECT 1 FROM holds h WHERE h.message = o.message AND h.closed IS NULL) ORDER BY created LIMIT :limit"""
DROP_OUTCOME = "DELETE FROM outcomes WHERE id = :id"

OUTBOX_ADD = """
INSERT INTO outbox (dedup, kind, message, hold, recipient, role, merge, due, created, detail)
VALUES (:dedup, :kind, :message, :hold, :recipient, :role, :merge, :due, :created,
  :detail) ON CONFLICT (dedup) DO NOTHING"""
OUTBOX_DUE = "SELECT * FROM outbox WHERE state = 'pending' AND due <= :now ORDER BY due, id LIMIT :limit"
OUTBOX_MERGED = """
SELECT * FROM outbox WHERE state = 'pending' AND merge = :merge AND kind LIKE :kind AND recipient = :recipient AND hold = :hold
ORDER BY id"""
OUTBOX_STATE = "SELECT state FROM outbox WHERE dedup = :dedup"
OUTBOX_ROW = "SELECT * FROM outbox WHERE id = :id"
OUTBOX_DONE = "UPDATE outbox SET state = :state, code = :code, done = :now WHERE id = :id AND state = 'pending'"
OUTBOX_RETRY = "UPDATE outbox SET attempts = attempts + 1, due = :due, code = :code WHERE id = :id AND state = 'pending'"
OUTBOX_COUNT = "SELECT COUNT(*) AS n, MIN(due) AS oldest FROM outbox WHERE state = 'pending'"
OUTBOX_SENT = """
SELECT COUNT(*) AS n FROM outbox WHERE kind = :kind AND recipient = :recipient AND state IN ('done', 'pending')"""
OUTBOX_FORGET = "UPDATE outbox SET recipient = '' WHERE state <> 'pending' AND done <= :before AND recipient <> ''"
OUTBOX_CANCEL = """
UPDATE outbox SET state = 'dropped', code = :code, done = :now
WHERE state = 'pending' AND hold = :hold AND kind IN ('N-1r', 'N-7', 'alert', 'desk')"""

ADD_HOLD_IMAGE = "INSERT INTO hold_images (hold, sha256) VALUES (:hold, :sha256) ON CONFLICT (hold, sha256) DO NOTHING"
HOLD_IMAGES = "SELECT sha256 FROM hold_images WHERE hold = :hold ORDER BY sha256"
ADD_DISCLOSURE = """
INSERT INTO disclosures (outcome, image, scrubbed, recipient, sender, at, until, rule, method, consent, covered)
VALUES (:outcome, :image, :scrubbed, :recipient, :sender, :at, :until, :rule, :method, :consent, :covered)
ON CONFLICT (outcome, image, recipient) DO NOTHING"""
DISCLOSURES = "SELECT * FROM disclosures ORDER BY at, outcome, image, recipient"
DISCLOSED = """
SELECT image, recipient, MAX(until) AS until, MAX(covered) AS covered FROM (
  SELECT image, recipient, until, covered FROM disclosures
  UNION ALL SELECT scrubbed, recipient, until, covered FROM disclosures WHERE scrubbed <> ''
  UNION ALL SELECT s.scrubbed, d.recipient, d.until, d.covered FROM disclosures d JOIN scrubbed s ON s.image = d.image)
WHERE until > :now GROUP BY image, recipient"""
GONE_SINCE = """
SELECT DISTINCT image FROM disclosures WHERE recipient = :recipient AND sender = :sender AND at >= :since
  AND outcome NOT IN (SELECT id FROM outcomes WHERE message = :message)"""
DROP_DISCLOSURES = "DELETE FROM disclosures WHERE until <= :before"
ADD_SCRUBBED = "INSERT INTO scrubbed (image, scrubbed) VALUES (:image, :scrubbed) ON CONFLICT (image, scrubbed) DO NOTHING"
ADD_PAIR = """
INSERT INTO pairs (sender, recipient, first) VALUES (:sender, :recipient, :first) ON CONFLICT (sender,
  recipient) DO NOTHING"""
PAIRS = "SELECT sender, recipient FROM pairs ORDER BY sender, recipient"
ADD_INLINE = """
INSERT INTO inline_seen (sha256, sender, count) VALUES (:sha256, :sender, 1)
ON CONFLICT (sha256, sender) DO UPDATE SET count = inline_seen.count + 1"""
INLINE = "SELECT sha256, sender, count FROM inline_seen ORDER BY sha256, sender"
ADD_WITHDRAWAL = "INSERT INTO withdrawals (patient, at) VALUES (:patient, :at) ON CONFLICT (patient) DO NOTHING"
WITHDRAWALS = "SELECT patient FROM withdrawals ORDER BY patient"
SET_OFFSET = """
INSERT INTO journal (segment, offset) VALUES (:segment,
  :offset) ON CONFLICT (segment) DO UPDATE SET offset = excluded.offset"""
GET_OFFSET = "SELECT offset FROM journal WHERE segment = :segment"

# The snapshot the gateway reads: written whole, never updated in place.
SNAPSHOT_VERSION = 1
SNAPSHOT_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE disclosed (image_sha256 TEXT NOT NULL, recipient_hash TEXT NOT NULL, until REAL NOT NULL,
  covered INTEGER NOT NULL,
  PRIMARY KEY (image_sha256, recipient_hash)) WITHOUT ROWID;
CREATE TABLE inline_seen (sha256 TEXT NOT NULL, sender_hash TEXT NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (sha256, sender_hash)) WITHOUT ROWID;
CREATE TABLE pairs (sender_hash TEXT NOT NULL, recipient_hash TEXT NOT NULL, PRIMARY KEY (sender_hash,
  recipient_hash)) WITHOUT ROWID;
CREATE TABLE withdrawals (patient_hash TEXT PRIMARY KEY) WITHOUT ROWID;
"""
SNAPSHOT_META = "INSERT INTO meta VALUES (?, ?)"
SNAPSHOT_DISCLOSED = "INSERT INTO disclosed VALUES (?, ?, ?, ?)"
SNAPSHOT_INLINE = "INSERT INTO inline_seen VALUES (?, ?, ?)"
SNAPSHOT_PAIR = "INSERT INTO pairs VALUES (?, ?)"
SNAPSHOT_WITHDRAWAL = "INSERT INTO withdrawals VALUES (?)"
READ_META = "SELECT name, value FROM meta"
READ_DISCLOSED = "SELECT until, covered FROM disclosed WHERE image_sha256 = ? AND recipient_hash = ?"
READ_INLINE = "SELECT count FROM inline_seen WHERE sha256 = ? AND sender_hash = ?"
READ_PAIR = "SELECT 1 FROM pairs WHERE sender_hash = ? AND recipient_hash = ?"
READ_WITHDRAWAL = "SELECT 1 FROM withdrawals WHERE patient_hash = ?"
