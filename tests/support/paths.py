"""Where the tests find things outside the test tree."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("CLINIGATE_SHARED", ROOT.parent / "shared"))
CORPUS = SHARED / "corpus"
JUDGE = SHARED / "tools" / "metadata_judge.py"
CANARY_ORACLE = SHARED / "tools" / "canary_oracle.py"
