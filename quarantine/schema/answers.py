"""What senders answered: the word that decided a hold, and the replies that were taken in."""

from __future__ import annotations

TABLES = """
CREATE TABLE IF NOT EXISTS answers (
  hold TEXT NOT NULL, at REAL NOT NULL, word TEXT NOT NULL, way TEXT NOT NULL, PRIMARY KEY (hold, at));
CREATE TABLE IF NOT EXISTS replies (
  id TEXT PRIMARY KEY, at REAL NOT NULL, hold TEXT NOT NULL, outcome TEXT NOT NULL, purged REAL);
CREATE INDEX IF NOT EXISTS replies_hold ON replies (hold, outcome);
CREATE INDEX IF NOT EXISTS replies_at ON replies (at);
"""

ADD_ANSWER = "INSERT INTO answers (hold, at, word, way) VALUES (:hold, :at, :word, :way) ON CONFLICT (hold, at) DO NOTHING"
ANSWERED = "SELECT word FROM answers WHERE hold = :hold ORDER BY at DESC LIMIT 1"
ADD_REPLY = "INSERT INTO replies (id, at, hold, outcome) VALUES (:id, :at, :hold, :outcome) ON CONFLICT (id) DO NOTHING"
REPLY = "SELECT outcome, purged FROM replies WHERE id = :id"
OLD_REPLIES = "SELECT id FROM replies WHERE at <= :before AND purged IS NULL ORDER BY at LIMIT :limit"
REPLY_PURGED = "UPDATE replies SET purged = :at WHERE id = :id"
