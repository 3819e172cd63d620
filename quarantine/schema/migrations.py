"""From one version of the records to the next: statements that are run once, in one transaction, before the tables are made.

Only what ``CREATE TABLE IF NOT EXISTS`` cannot do stands here.  Old rows keep what they said; what they never said is empty.
"""

from __future__ import annotations

from collections.abc import Mapping

# version → what makes the next one of it
STEPS: Mapping[int, tuple[str, ...]] = {
    1: (
        "ALTER TABLE disclosures ADD COLUMN line INTEGER NOT NULL DEFAULT -1",
        "ALTER TABLE disclosures ADD COLUMN message TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE disclosures ADD COLUMN ref TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE disclosures ADD COLUMN hold TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE disclosures ADD COLUMN class TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE disclosures ADD COLUMN mode TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE disclosures ADD COLUMN domain TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE disclosures ADD COLUMN sender_domain TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE disclosures ADD COLUMN sender_group TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE disclosures ADD COLUMN kind TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE disclosures ADD COLUMN format TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE disclosures ADD COLUMN codes TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE disclosures ADD COLUMN source TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE disclosures ADD COLUMN policy TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE disclosures ADD COLUMN protection TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE disclosures ADD COLUMN form TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE disclosures ADD COLUMN purpose TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE disclosures ADD COLUMN statement TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE disclosures ADD COLUMN released_by TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE disclosures ADD COLUMN released_role TEXT NOT NULL DEFAULT ''",
        """UPDATE disclosures SET message = (SELECT o.message FROM outcomes o WHERE o.id = outcome),
  ref = (SELECT o.ref FROM outcomes o WHERE o.id = outcome) WHERE outcome IN (SELECT id FROM outcomes)""",
        # A release was noted under its hold's id.
        """UPDATE disclosures SET hold = outcome, message = (SELECT h.message FROM holds h WHERE h.id = outcome),
  ref = (SELECT h.ref FROM holds h WHERE h.id = outcome) WHERE outcome IN (SELECT id FROM holds)""",
    ),
}
