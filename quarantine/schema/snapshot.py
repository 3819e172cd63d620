"""The snapshot the gateway reads: written whole, never updated in place."""

from __future__ import annotations

SNAPSHOT_VERSION = 2  # 2: what patients have said, also of single pictures and uses; another version is unknown = stricter
SNAPSHOT_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE disclosed (image_sha256 TEXT NOT NULL, recipient_hash TEXT NOT NULL, until REAL NOT NULL,
  covered INTEGER NOT NULL,
  PRIMARY KEY (image_sha256, recipient_hash)) WITHOUT ROWID;
CREATE TABLE inline_seen (sha256 TEXT NOT NULL, sender_hash TEXT NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (sha256, sender_hash)) WITHOUT ROWID;
CREATE TABLE pairs (sender_hash TEXT NOT NULL, recipient_hash TEXT NOT NULL, PRIMARY KEY (sender_hash,
  recipient_hash)) WITHOUT ROWID;
CREATE TABLE consents (subject TEXT PRIMARY KEY, status TEXT NOT NULL, since REAL NOT NULL, scope TEXT NOT NULL,
  purposes TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE gone (patient TEXT NOT NULL, recipient_hash TEXT NOT NULL, image TEXT NOT NULL, at REAL NOT NULL,
  message TEXT NOT NULL, PRIMARY KEY (patient, recipient_hash, image)) WITHOUT ROWID;
CREATE TABLE pictures (recipient_hash TEXT NOT NULL, image TEXT NOT NULL, message TEXT NOT NULL, at REAL NOT NULL,
  covered_until REAL NOT NULL, shape BLOB NOT NULL);
CREATE INDEX pictures_recipient ON pictures (recipient_hash, at);
CREATE TABLE marked (image TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
"""
SNAPSHOT_META = "INSERT INTO meta VALUES (?, ?)"
SNAPSHOT_DISCLOSED = "INSERT INTO disclosed VALUES (?, ?, ?, ?)"
SNAPSHOT_INLINE = "INSERT INTO inline_seen VALUES (?, ?, ?)"
SNAPSHOT_PAIR = "INSERT INTO pairs VALUES (?, ?)"
SNAPSHOT_CONSENT = "INSERT INTO consents VALUES (?, ?, ?, ?, ?)"
FORGET_CONSENTS = ("DELETE FROM consents", "DELETE FROM marked")
SNAPSHOT_GONE = "INSERT INTO gone VALUES (?, ?, ?, ?, ?)"
READ_META = "SELECT name, value FROM meta"
READ_DISCLOSED = "SELECT until, covered FROM disclosed WHERE image_sha256 = ? AND recipient_hash = ?"
READ_INLINE = "SELECT count FROM inline_seen WHERE sha256 = ? AND sender_hash = ?"
READ_PAIRS = """
SELECT recipient_hash FROM pairs WHERE sender_hash = ? AND recipient_hash IN (SELECT value FROM json_each(?))"""
READ_CONSENT = "SELECT status, since, scope, purposes FROM consents WHERE subject = ?"
READ_GONE = "SELECT image, message, at FROM gone WHERE patient = ? AND recipient_hash = ?"
# What pictures look like is encrypted (``quarantine.ledger.fingerprintkey``).
SNAPSHOT_PICTURE = "INSERT INTO pictures VALUES (?, ?, ?, ?, ?, ?)"
SNAPSHOT_MARKED = "INSERT OR REPLACE INTO marked VALUES (?, ?)"
READ_MARKED = "SELECT image, data FROM marked ORDER BY image"
READ_PICTURES = """
SELECT image, message, at, covered_until, shape FROM pictures WHERE recipient_hash = ? ORDER BY at DESC LIMIT ?"""
