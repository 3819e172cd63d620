"""The table of fingerprints.  Looking for a picture: ``quarantine.ledger.matching``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from quarantine.database import Database
from quarantine.schema import fingerprints as sql

PAGE: Final = 2000  # read at once: a hundred thousand pictures do not fill the memory


class FingerprintRecords(Database):
    """Fingerprints, as encrypted."""

    def add_fingerprint(self, image: str, key: str, shape: bytes, data: bytes, at: float) -> None:
        """Keep the fingerprint of one picture (SHA-256 as received); a later one of the same picture takes its place."""
        self.run(sql.ADD, {"image": image, "key": key, "shape": shape, "data": data, "at": at})

    def fingerprint(self, image: str) -> tuple[str, bytes] | None:
        """(id of the key, data) of one picture."""
        row = self.one(sql.GET, {"image": image})
        return None if row is None else (str(row["key"]), bytes(row["data"]))

    def fingerprints(self, key: str) -> Iterator[list[tuple[str, bytes]]]:
        """(image, data) of every picture under one key, page by page."""
        after = ""
        while rows := self.all(sql.PAGE, {"key": key, "after": after, "limit": PAGE}):
            yield [(str(row["image"]), bytes(row["data"])) for row in rows]
            after = str(rows[-1]["image"])

    def fingerprint_count(self, key: str) -> tuple[int, int]:
        """(all, those under another key)."""
        row = self.one(sql.COUNT, {"key": key})
        assert row is not None  # counting always gives a row
        return int(row["n"]), int(row["other"])

    def drop_fingerprints(self, before: float) -> int:
        """Forget those older than ``before`` whose picture is in no disclosure and no open hold."""
        return self.run(sql.DROP, {"before": before})

    def gone_pictures(self, since: float, now: float) -> list[tuple[str, str, str, float, float, bytes]]:
        """(recipient, image, message, at, covered until, shape) of pictures with a fingerprint, for the snapshot."""
        rows = self.all(sql.GONE, {"since": since, "now": now})
        return [
            (r["recipient"], r["image"], r["message"], float(r["at"]), float(r["covered_until"]), bytes(r["shape"])) for r in rows
        ]
