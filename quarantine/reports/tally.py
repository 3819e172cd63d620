"""What one event of the gateway's journal counts as.  Counts only: codes, states, groups, domains, keyed hashes of senders.

Measures (a key stands beside each):

  mail         plain | pictures | failure          messages that came in
  reason       a reason or side finding             recipients of any mail
  fate         delivered | passed | held | refused | failed | deferred   recipients of mail with pictures
  mode         observe | advise | enforce           the same recipients
  pictures     all | gps                            clinical images that came in
  group all, group gps      a sender group          clinical images, and those with a position
  recipient    first-time                           recipients of mail with pictures who were written to for the first time
  sender pictures, sender gps, sender not-patient   a keyed hash; messages with pictures, images with a position, NOT PATIENT

A release counts as nothing: the mail was counted when it came in, and what went stands in the disclosure ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

Key = tuple[str, str]  # measure, key
GPS: Final = frozenset({"exif.gps", "xmp.gps", "dicom.gps"})
RELEASE: Final = "release"
BESIDE: Final = ("recipient.", "link.", "device.", "name.", "disclosure.", "mail.referral")  # findings a report shows
_GONE: Final = frozenset({"delivered", "passed"})


def counted(event: Mapping[str, Any]) -> Counter[Key]:
    """Measure and key -> how many.  Nothing for what is no message; what is missing in an old event is not counted."""
    record = event.get("record")
    if event.get("event") != "message" or not isinstance(record, Mapping) or event.get("listener") == RELEASE:
        return Counter()
    lines, fates, images = (_maps(one) for one in (record.get("recipients"), event.get("recipients"), record.get("images")))
    found: Counter[Key] = Counter()
    kind = "failure" if record.get("failure") else "pictures" if images else "plain"
    found["mail", kind] += 1
    found.update(("reason", code) for line in lines for code in _said(line))
    if images:
        found.update(("fate", str(fate.get("state") or fate.get("outcome") or "")) for fate in fates)
        found.update(_of_recipients(lines))
        found.update(_of_images(record, lines, images))
    return found


def domains_used(event: Mapping[str, Any]) -> Iterator[str]:
    """The domains that got pictures."""
    record = event.get("record")
    if isinstance(record, Mapping) and record.get("images"):
        for fate in _maps(event.get("recipients")):
            if _went(fate) and fate.get("domain"):
                yield str(fate["domain"])


def _said(line: Mapping[str, Any]) -> set[str]:
    """Why it was decided so, and what was found beside, whether a rule asked about it or not."""
    beside = {str(code) for code in _facts(line).get("codes") or () if str(code).startswith(BESIDE)}
    return {str(code) for code in line.get("reasons") or ()} | beside


def _of_recipients(lines: list[Mapping[str, Any]]) -> Iterator[Key]:
    for line in lines:
        yield "mode", str(line.get("mode") or "enforce")
        if _facts(line).get("first_time") is True:
            yield "recipient", "first-time"


def _of_images(record: Mapping[str, Any], lines: list[Mapping[str, Any]], images: list[Mapping[str, Any]]) -> Counter[Key]:
    found: Counter[Key] = Counter()
    sender = str(record.get("sender") or "")
    group = next((str(group) for line in lines if (group := _facts(line).get("sender_group"))), "ungrouped")
    located = sum(1 for image in images if GPS & set(image.get("codes") or ()))
    found.update({("pictures", "all"): len(images), ("group all", group): len(images)})
    if located:
        found.update({("pictures", "gps"): located, ("group gps", group): located})
    if sender:
        found["sender pictures", sender] += 1
        found["sender gps", sender] += located
        found["sender not-patient", sender] += any(_basis(line) == "not-patient" for line in lines)
    return +found  # without the zeros


def _basis(line: Mapping[str, Any]) -> Any:
    consent = _facts(line).get("consent")
    statement = consent.get("statement") if isinstance(consent, Mapping) else None
    return statement.get("basis") if isinstance(statement, Mapping) else None


def _facts(line: Mapping[str, Any]) -> Mapping[str, Any]:
    facts = line.get("facts")
    return facts if isinstance(facts, Mapping) else {}


def _went(fate: Mapping[str, Any]) -> bool:
    return (fate.get("state") or fate.get("outcome")) in _GONE


def _maps(values: object) -> list[Mapping[str, Any]]:
    return [value for value in values if isinstance(value, Mapping)] if isinstance(values, list) else []
