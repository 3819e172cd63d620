"""Which image went to whom."""

from __future__ import annotations

TABLES = """
CREATE TABLE IF NOT EXISTS hold_images (hold TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (hold, sha256));
CREATE TABLE IF NOT EXISTS disclosures (
  outcome TEXT NOT NULL, image TEXT NOT NULL, scrubbed TEXT NOT NULL, recipient TEXT NOT NULL, sender TEXT NOT NULL,
  at REAL NOT NULL, until REAL NOT NULL, rule TEXT NOT NULL, method TEXT NOT NULL, consent TEXT NOT NULL,
  covered INTEGER NOT NULL,
  PRIMARY KEY (outcome, image, recipient));
CREATE INDEX IF NOT EXISTS disclosures_recipient ON disclosures (recipient, sender);
CREATE TABLE IF NOT EXISTS scrubbed (image TEXT NOT NULL, scrubbed TEXT NOT NULL, PRIMARY KEY (image, scrubbed));
"""

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
