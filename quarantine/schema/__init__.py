"""Every SQL statement of the records, one file a concern, so that another database can follow.

Named parameters only; portable SQL (``INSERT … ON CONFLICT``, no vendor functions).  Times are POSIX seconds.
The database is confidential (it holds addresses of senders and recipients) but holds no content, subject or file name.
A new concern is a file with its TABLES, and a line in TABLES here.
"""

from __future__ import annotations

from quarantine.schema import (
    answers,
    consents,
    disclosures,
    emergencies,
    fingerprints,
    holds,
    journal,
    outbox,
    outcomes,
    recalls,
    tallies,
)

VERSION = 2

FACTS = "CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);"
TABLES = "".join((
    FACTS,
    holds.TABLES,
    outcomes.TABLES,
    outbox.TABLES,
    disclosures.TABLES,
    journal.TABLES,
    emergencies.TABLES,
    fingerprints.TABLES,
    tallies.TABLES,
    consents.TABLES,
    recalls.TABLES,
    answers.TABLES,
))  # fmt: skip
# What a rebuild empties: all that the objects can say again.  The outbox stays (a notice sent stays sent), and so do the
# journal's own tables (its segments are read by offset).  Disclosures are taken again outcome by outcome: those whose object has
# been erased stay, for the ledger is kept longer than the addresses.
REBUILT = ("holds", "recipients", "transitions", "outcomes", "hold_images")

SET_FACT = "INSERT INTO facts (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
GET_FACT = "SELECT value FROM facts WHERE name = :name"
