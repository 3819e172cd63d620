"""What the gateway's journal tells: correspondents, recurring pictures, withdrawals."""

from __future__ import annotations

TABLES = """
CREATE TABLE IF NOT EXISTS pairs (sender TEXT NOT NULL, recipient TEXT NOT NULL, first REAL NOT NULL,
  PRIMARY KEY (sender, recipient));
CREATE TABLE IF NOT EXISTS inline_seen (
  sha256 TEXT NOT NULL, sender TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (sha256, sender));
CREATE TABLE IF NOT EXISTS withdrawals (patient TEXT PRIMARY KEY, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS journal (segment TEXT PRIMARY KEY, offset INTEGER NOT NULL);
"""

ADD_PAIR = """
INSERT INTO pairs (sender, recipient, first) VALUES (:sender, :recipient, :first) ON CONFLICT (sender,
  recipient) DO NOTHING"""
PAIRS = "SELECT sender, recipient FROM pairs ORDER BY sender, recipient"
ADD_INLINE = """
INSERT INTO inline_seen (sha256, sender, count) VALUES (:sha256, :sender, 1)
ON CONFLICT (sha256, sender) DO UPDATE SET count = inline_seen.count + 1"""
INLINE = "SELECT sha256, sender, count FROM inline_seen ORDER BY sha256, sender"
WITHDRAWALS = "SELECT patient, at FROM withdrawals ORDER BY patient"  # from before the consent register
SET_OFFSET = """
INSERT INTO journal (segment, offset) VALUES (:segment,
  :offset) ON CONFLICT (segment) DO UPDATE SET offset = excluded.offset"""
GET_OFFSET = "SELECT offset FROM journal WHERE segment = :segment"
