"""Makes filters/dicom/table.py from two public transcriptions of DICOM PS3.15 table E.1-1.

    python tests/support/make_dicom_table.py confidentiality_profile_attributes.json dicomfields_2026c.py > filters/dicom/table.py

The first (innolitics/dicom-standard, MIT, edition 2024e) has the columns of the options; the second (dicom-anonymizer 2.1, BSD,
edition 2026c) has the attributes added since, whose options are left out: nothing can retain them.
"""

from __future__ import annotations

import json
import runpy
import sys
import textwrap
from pathlib import Path

# column of the first source -> {what it says: our letter}
_OPTIONS = {
    "cleanDescOpt": {"C": "d"},
    "rtnLongFullDatesOpt": {"K": "f"},
    "rtnLongModifDatesOpt": {"C": "m"},
    "rtnPatCharsOpt": {"K": "p", "C": "P"},
    "rtnDevIdOpt": {"K": "v", "C": "V"},
    "rtnUIDsOpt": {"K": "u"},
    "rtnInstIdOpt": {"K": "i"},
}
_LATER = {
    "D": "D", "Z": "Z", "X": "X", "U": "U", "Z_D": "Z/D", "X_Z": "X/Z", "X_D": "X/D", "X_Z_D": "X/Z/D", "X_Z_U_STAR": "X/Z/U*",
}  # fmt: skip
_HEAD = '''"""PS3.15 table E.1-1 (edition 2024e, with the attributes that 2026c added), made by tests/support/make_dicom_table.py.

One word an attribute: tag, action of the Basic Profile, letters of the options that retain or clean it instead
(``filters.dicom.profile`` reads them).
"""

from __future__ import annotations

ROWS = """
'''


def main(first: str, second: str) -> None:
    rows: dict[int, str] = {}
    for row in json.loads(Path(first).read_text("utf-8")):
        try:
            tag = int(row["id"], 16)
        except ValueError:
            continue  # repeating groups and private attributes: rules of their own
        letters = "".join(words.get(row.get(column, ""), "") for column, words in _OPTIONS.items())
        rows[tag] = f"{tag:08X}:{row['basicProfile']}" + (":" + letters if letters else "")
    later = runpy.run_path(second)
    for name, action in _LATER.items():
        for tag_pair in later[name + "_TAGS"]:
            if len(tag_pair) == 2:
                tag = tag_pair[0] << 16 | tag_pair[1]
                rows.setdefault(tag, f"{tag:08X}:{action}")
    text = " ".join(rows[tag] for tag in sorted(rows))
    print(_HEAD + "\n".join(textwrap.wrap(text, 125, break_on_hyphens=False)) + '\n"""')


if __name__ == "__main__":
    main(*sys.argv[1:])
