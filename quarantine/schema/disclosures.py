"""Which image went to whom: the disclosure ledger."""

from __future__ import annotations

# ``line``: which recipient of the outcome's meta it is, so that the address can be read there as long as it is kept.
TABLES = """
CREATE TABLE IF NOT EXISTS hold_images (hold TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (hold, sha256));
CREATE TABLE IF NOT EXISTS disclosures (
  outcome TEXT NOT NULL, image TEXT NOT NULL, scrubbed TEXT NOT NULL, recipient TEXT NOT NULL, sender TEXT NOT NULL,
  at REAL NOT NULL, until REAL NOT NULL, rule TEXT NOT NULL, method TEXT NOT NULL, consent TEXT NOT NULL,
  covered INTEGER NOT NULL,
  line INTEGER NOT NULL DEFAULT -1, message TEXT NOT NULL DEFAULT '', ref TEXT NOT NULL DEFAULT '',
  hold TEXT NOT NULL DEFAULT '', class TEXT NOT NULL DEFAULT '', mode TEXT NOT NULL DEFAULT '',
  domain TEXT NOT NULL DEFAULT '', sender_domain TEXT NOT NULL DEFAULT '', sender_group TEXT NOT NULL DEFAULT '',
  kind TEXT NOT NULL DEFAULT '', format TEXT NOT NULL DEFAULT '', codes TEXT NOT NULL DEFAULT '',
  source TEXT NOT NULL DEFAULT '', policy TEXT NOT NULL DEFAULT '', protection TEXT NOT NULL DEFAULT '',
  form TEXT NOT NULL DEFAULT '', purpose TEXT NOT NULL DEFAULT '', statement TEXT NOT NULL DEFAULT '',
  released_by TEXT NOT NULL DEFAULT '', released_role TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (outcome, image, recipient));
CREATE INDEX IF NOT EXISTS disclosures_recipient ON disclosures (recipient, sender);
CREATE INDEX IF NOT EXISTS disclosures_recipient_at ON disclosures (recipient, at);
CREATE INDEX IF NOT EXISTS disclosures_image ON disclosures (image);
CREATE INDEX IF NOT EXISTS disclosures_scrubbed ON disclosures (scrubbed) WHERE scrubbed <> '';
CREATE INDEX IF NOT EXISTS disclosures_sender ON disclosures (sender, at);
CREATE INDEX IF NOT EXISTS disclosures_at ON disclosures (at);
CREATE INDEX IF NOT EXISTS disclosures_until ON disclosures (until);
CREATE INDEX IF NOT EXISTS disclosures_message ON disclosures (message);
CREATE INDEX IF NOT EXISTS disclosures_ref ON disclosures (ref);
CREATE TABLE IF NOT EXISTS disclosure_patients (
  patient TEXT NOT NULL, outcome TEXT NOT NULL, PRIMARY KEY (patient, outcome));
CREATE INDEX IF NOT EXISTS disclosure_patients_outcome ON disclosure_patients (outcome);
CREATE TABLE IF NOT EXISTS scrubbed (image TEXT NOT NULL, scrubbed TEXT NOT NULL, PRIMARY KEY (image, scrubbed));
CREATE INDEX IF NOT EXISTS scrubbed_scrubbed ON scrubbed (scrubbed);
"""

ADD_HOLD_IMAGE = "INSERT INTO hold_images (hold, sha256) VALUES (:hold, :sha256) ON CONFLICT (hold, sha256) DO NOTHING"
HOLD_IMAGES = "SELECT sha256 FROM hold_images WHERE hold = :hold ORDER BY sha256"
ADD_DISCLOSURE = """
INSERT INTO disclosures (outcome, line, image, scrubbed, recipient, sender, at, until, rule, method, consent, covered, message,
  ref, hold, class, mode, domain, sender_domain, sender_group, kind, format, codes, source, policy, protection, form, purpose,
  statement, released_by, released_role)
VALUES (:outcome, :line, :image, :scrubbed, :recipient, :sender, :at, :until, :rule, :method, :consent, :covered, :message,
  :ref, :hold, :class, :mode, :domain, :sender_domain, :sender_group, :kind, :format, :codes, :source, :policy, :protection,
  :form, :purpose, :statement, :released_by, :released_role)
ON CONFLICT (outcome, image, recipient) DO NOTHING"""
ADD_PATIENT = """
INSERT INTO disclosure_patients (patient, outcome) VALUES (:patient, :outcome) ON CONFLICT (patient, outcome) DO NOTHING"""
DISCLOSURES = "SELECT * FROM disclosures ORDER BY at, outcome, image, recipient"
PATIENTS = "SELECT patient, outcome FROM disclosure_patients ORDER BY outcome, patient"
# A consent that a patient took back later covers nothing any more, also when they have agreed again since.
# Only what a consent still covers is read, by its index: the ledger is years longer.
DISCLOSED = """
WITH live AS (SELECT image, scrubbed, recipient, until, covered FROM disclosures d WHERE until > :now AND NOT EXISTS (
  SELECT 1 FROM consents c WHERE c.subject = 'image:' || d.image AND c.noted >= d.at AND c.status IN ('refused', 'withdrawn')))
SELECT image, recipient, MAX(until) AS until, MAX(covered) AS covered FROM (
  SELECT image, recipient, until, covered FROM live
  UNION ALL SELECT scrubbed, recipient, until, covered FROM live WHERE scrubbed <> ''
  UNION ALL SELECT s.scrubbed, d.recipient, d.until, d.covered FROM live d JOIN scrubbed s ON s.image = d.image)
GROUP BY image, recipient"""
GONE_SINCE = """
SELECT DISTINCT image FROM disclosures WHERE recipient = :recipient AND sender = :sender AND at >= :since
  AND message <> :message"""
# What went outside about each patient, oldest first; a picture in both of its forms, for a reply shows the cleaned one.
GONE = """
SELECT p.patient AS patient, f.recipient AS recipient, f.image AS image, f.at AS at, f.message AS message FROM (
  SELECT outcome, recipient, image, at, message FROM disclosures WHERE at > :since AND class NOT IN ('O', 'archive')
  UNION ALL SELECT outcome, recipient, scrubbed, at, message FROM disclosures
  WHERE at > :since AND class NOT IN ('O', 'archive') AND scrubbed <> '') f
JOIN disclosure_patients p ON p.outcome = f.outcome ORDER BY f.at, f.message"""
# The record is kept for its own time, whatever a consent covers; a cover that still lives keeps it longer.
DROP_DISCLOSURES = "DELETE FROM disclosures WHERE at <= :before AND until <= :now"
DROP_PATIENTS = """
DELETE FROM disclosure_patients WHERE NOT EXISTS (
  SELECT 1 FROM disclosures d WHERE d.outcome = disclosure_patients.outcome)"""
RETAKE = ("DELETE FROM disclosures WHERE outcome = :outcome", "DELETE FROM disclosure_patients WHERE outcome = :outcome")
ADD_SCRUBBED = "INSERT INTO scrubbed (image, scrubbed) VALUES (:image, :scrubbed) ON CONFLICT (image, scrubbed) DO NOTHING"
BECAME = "SELECT scrubbed FROM scrubbed WHERE image = :image"
CAME_FROM = "SELECT image FROM scrubbed WHERE scrubbed = :image"

# A search: the clauses that were asked for, in the order of what is written first; pages go on behind the last row seen.
FIND = "SELECT * FROM disclosures WHERE {clauses} ORDER BY at, outcome, image, recipient LIMIT :limit"
AFTER = "(at, outcome, image, recipient) > (:at, :outcome, :image, :recipient)"
PATIENTS_OF = "SELECT outcome, patient FROM disclosure_patients WHERE outcome IN ({outcomes}) ORDER BY patient"
# Weeks are counted from a Monday; a message counts once however many pictures and recipients it has.
SHARES = """
SELECT CAST((d.at + :shift) / :week AS INTEGER) AS week, d.sender_group AS sender_group, COUNT(DISTINCT d.outcome) AS messages,
  COUNT(DISTINCT p.outcome) AS named, COUNT(*) AS pictures, COUNT(p.outcome) AS named_pictures
FROM disclosures d LEFT JOIN (SELECT DISTINCT outcome FROM disclosure_patients) p ON p.outcome = d.outcome
WHERE d.at >= :since AND d.at < :until
GROUP BY CAST((d.at + :shift) / :week AS INTEGER), d.sender_group ORDER BY week, sender_group"""
WAITING_WITH = "SELECT DISTINCT h.message AS message FROM hold_images i JOIN holds h ON h.id = i.hold WHERE i.sha256 = :image"
