"""What pictures are recognised by, encrypted (``quarantine.ledger.fingerprintkey``).

``shape`` tells of the picture as a whole, ``data`` of its corners too.
"""

from __future__ import annotations

TABLES = """
CREATE TABLE IF NOT EXISTS fingerprints (
  image TEXT PRIMARY KEY, key TEXT NOT NULL, shape BLOB NOT NULL, data BLOB NOT NULL, at REAL NOT NULL);
"""

ADD = """
INSERT INTO fingerprints (image, key, shape, data, at) VALUES (:image, :key, :shape, :data, :at)
ON CONFLICT (image) DO UPDATE SET key = excluded.key, shape = excluded.shape, data = excluded.data"""
GET = "SELECT key, data FROM fingerprints WHERE image = :image"
PAGE = """
SELECT image, data FROM fingerprints WHERE key = :key AND image > :after ORDER BY image LIMIT :limit"""
COUNT = "SELECT COUNT(*) AS n, COALESCE(SUM(key <> :key), 0) AS other FROM fingerprints"
# A fingerprint goes with the last disclosure of its picture; what waits in a hold may yet be disclosed, and what a patient has
# said no to must be known when it comes again.
DROP = """
DELETE FROM fingerprints WHERE at <= :before AND image NOT IN (SELECT image FROM disclosures)
  AND image NOT IN (SELECT i.sha256 FROM hold_images i JOIN holds h ON h.id = i.hold WHERE h.closed IS NULL)
  AND image NOT IN (SELECT substr(subject, 7) FROM consents WHERE subject LIKE 'image:%')"""
# For the snapshot: of everything that went to somebody since a moment, or is still covered.
GONE = """
SELECT d.recipient, d.image, d.message, MAX(d.at) AS at, MAX(CASE WHEN d.covered = 0 OR EXISTS (
    SELECT 1 FROM consents c WHERE c.subject = 'image:' || d.image AND c.noted >= d.at AND c.status IN ('refused', 'withdrawn'))
  THEN 0 ELSE d.until END) AS covered_until,
  f.shape AS shape
FROM disclosures d JOIN fingerprints f ON f.image = d.image
WHERE d.at >= :since OR d.until > :now GROUP BY d.recipient, d.image, d.message, f.shape"""
