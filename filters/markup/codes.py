"""What the readers of this folder report, one sentence each; what is hidden in text is in ``filters.plaintext.hidden``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CODES: Final[Mapping[str, str]] = {
    "html.author": "The page names its author, owner or date.",
    "svg.attribute": "An attribute that no drawing needs.",
    "svg.comment": "A comment in the drawing or its style sheet.",
    "svg.description": "A title, description or label in words that are not drawn.",
    "svg.document-type": "A document type declaration with entities or of a program.",
    "svg.editor-data": "Data of the program that made the drawing.",
    "svg.external-reference": "A reference to another file or server.",
    "svg.foreign-object": "An element of another language inside the drawing.",
    "svg.instruction": "A processing instruction.",
    "svg.metadata": "A metadata block.",
    "svg.name": "An identifier or class that nothing in the drawing refers to.",
    "svg.script": "A script, event handler or animated reference.",
    "svg.stray-text": "Text where no program draws it.",
}
