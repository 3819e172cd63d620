"""A report as CSV, one file a table (RFC 4180, UTF-8, a heading line); no cell is a formula to a spreadsheet."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from quarantine.ledger.csvtext import safe
from quarantine.reports.tables import Cell, Table


def text(table: Table) -> str:
    """One file.  Spans are seconds; an empty cell means that nothing is known."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.name for column in table.columns])
    writer.writerows([_cell(cell) for cell in row] for row in table.rows)
    return out.getvalue()


def write(tables: list[Table], folder: Path, week: str) -> list[Path]:
    """``2026-W47-holds.csv`` and so on; the paths.  Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for table in tables:
        path = folder / f"{week}-{table.name}.csv"
        temporary = path.with_suffix(".tmp")
        temporary.write_bytes(text(table).encode("utf-8"))
        temporary.replace(path)
        paths.append(path)
    return paths


def _cell(cell: Cell) -> str | int | float:
    return safe(cell) if isinstance(cell, str) else "" if cell is None else cell
