"""Counts by day out of the gateway's journal, for reports.  Keys are codes, states, groups, domains or keyed hashes."""

from __future__ import annotations

TABLES = """
CREATE TABLE IF NOT EXISTS tallies (day TEXT NOT NULL, measure TEXT NOT NULL, key TEXT NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (day, measure, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS domain_use (domain TEXT PRIMARY KEY, day TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS journal_days (segment TEXT PRIMARY KEY, first TEXT NOT NULL, last TEXT NOT NULL);
"""

ADD = """
INSERT INTO tallies (day, measure, key, n) VALUES (:day, :measure, :key, :n)
ON CONFLICT (day, measure, key) DO UPDATE SET n = tallies.n + excluded.n"""
SUMS = """
SELECT measure, key, SUM(n) AS n FROM tallies WHERE day >= :first AND day < :until GROUP BY measure, key"""
FIRST = "SELECT MIN(first) AS day FROM journal_days"
USED = """
INSERT INTO domain_use (domain, day) VALUES (:domain, :day)
ON CONFLICT (domain) DO UPDATE SET day = excluded.day WHERE excluded.day > domain_use.day"""
USES = "SELECT domain, day FROM domain_use"
SEEN = """
INSERT INTO journal_days (segment, first, last) VALUES (:segment, :first, :last)
ON CONFLICT (segment) DO UPDATE SET first = MIN(journal_days.first, excluded.first),
  last = MAX(journal_days.last, excluded.last)"""
SEGMENTS = "SELECT segment, first, last FROM journal_days ORDER BY segment"
READ = "SELECT segment FROM journal ORDER BY segment"
# Counts by person are kept as long as a report shows them; what names nobody stays for comparison with other years.
FORGET_PEOPLE = "DELETE FROM tallies WHERE day < :before AND measure LIKE 'sender %'"
FORGET = "DELETE FROM tallies WHERE day < :before"
