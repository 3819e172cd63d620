"""A photograph cut into tiles is a photograph."""

from __future__ import annotations

import io
from email.message import EmailMessage

import pytest
from PIL import Image

from gateway.demo.pictures import photo
from gateway.demo.samples import Sample
from gateway.pipeline import plan
from tests.support.contexts import STRANGER, context, received

pytestmark = pytest.mark.unit


def tiles(count: int) -> Sample:
    """A message to a stranger with ``count`` different tiles of one photograph."""
    whole = Image.open(io.BytesIO(photo(1))).convert("RGB")

    def attach(message: EmailMessage) -> None:
        for number in range(count):
            left, top = 40 * (number % 20), 40 * (number // 20)
            out = io.BytesIO()
            whole.crop((left, top, left + 40, top + 40)).save(out, "PNG")
            message.add_attachment(out.getvalue(), "image", "png", filename=f"{number}.png")

    return Sample("tiles", (STRANGER,), "x", attach=(attach,))


@pytest.mark.slow
def test_many_icons_are_no_icons() -> None:
    """Symptom: a photograph cut into a hundred tiles of 48 x 48 went to anybody, unseen.

    Cause: each tile is as small as an icon.  Analysis: no mail needs so many different icons; beyond that number none is one.
    """
    made = plan(context(), received(tiles(60).build(), STRANGER))
    assert not made.copies


def test_some_icons_are() -> None:
    """The other side: the icons of a signature or newsletter pass untouched."""
    assert plan(context(), received(tiles(12).build(), STRANGER)).plain
