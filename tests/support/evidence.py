"""Evidence that documents name: a test (``tests/…/test_x.py::test_y``) or a paragraph (``docs/….md#anchor``).

Tests are found by reading the source, not by importing it: a page of documentation must not start a gateway.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

from tests.support import markdown

TEST = re.compile(r"tests/[\w/]+\.py::\w+(?:::\w+)?")


@cache
def tests_in(path: Path) -> frozenset[str]:
    """Names of the test functions of a file: ``test_a``, ``TestB::test_c``."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            functions = (one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
            found |= {f"{node.name}::{one.name}" for one in functions}
    return frozenset(name for name in found if name.rpartition("::")[2].startswith("test_"))


def problem(root: Path, reference: str) -> str | None:
    """Why a reference shows nothing; None when it stands."""
    if TEST.fullmatch(reference):
        file, _, name = reference.partition("::")
        if not (root / file).is_file():
            return f"{reference}: no such file"
        return None if name in tests_in(root / file) else f"{reference}: no such test"
    if re.fullmatch(r"docs/[\w./-]+\.md#[\w-]+", reference):
        return markdown.problem(root, root / "README.md", reference)
    return f"{reference}: neither tests/….py::test_name nor docs/….md#anchor"
