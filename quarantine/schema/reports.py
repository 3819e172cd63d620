"""What the reports ask of the records beside the counts; POSIX seconds from ``since`` to before ``until``."""

from __future__ import annotations

HOLDS_MADE = "SELECT * FROM holds WHERE created >= :since AND created < :until ORDER BY created, id"
HOLDS_CLOSED = "SELECT * FROM holds WHERE closed >= :since AND closed < :until ORDER BY closed, id"
OLDEST_AT = """
SELECT * FROM holds WHERE created < :at AND (closed IS NULL OR closed >= :at) ORDER BY created, id LIMIT 1"""
OPEN_AT = "SELECT COUNT(*) AS n FROM holds WHERE created < :at AND (closed IS NULL OR closed >= :at)"
NOTICES = """
SELECT kind, COUNT(*) AS n FROM outbox WHERE state = 'done' AND done >= :since AND done < :until GROUP BY kind ORDER BY kind"""
SENDERS = "SELECT DISTINCT sender FROM holds WHERE sender <> ''"
OUTCOME_SENDERS = "SELECT meta FROM outcomes WHERE created >= :since AND created < :until"
