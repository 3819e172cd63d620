"""Findings in the words of an email, in file names and in what went before: what is advised on, seldom held for.

Each is a code that a rule can name under ``codes:``; what the sender is told stands in ``policies.reasons``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policies.lists.messengers import NAME_MESSENGER

FILE_SHARE: Final = "link.file-share"
SHARE_ONLY: Final = "link.share-only"
REFERRAL: Final = "mail.referral"
AGGREGATE: Final = "disclosure.aggregate"
AGGREGATE_UNKNOWN: Final = "disclosure.aggregate-unknown"

CODES: Final[Mapping[str, str]] = {
    FILE_SHARE: "The text links to a file share or messenger, and has words of care.",
    SHARE_ONLY: "The text links to a file share or messenger, and has no words of care.",
    REFERRAL: "The text reads like a referral or a request for advice, and a clinical picture is with it.",
    NAME_MESSENGER: "A picture has a file name that a messenger such as WhatsApp gives.",
    AGGREGATE: "This recipient outside gets pictures of one patient, or much alike, once too often (`settings.aggregation`).",
    AGGREGATE_UNKNOWN: "Whether this recipient got pictures of the same patient before could not be looked up.",
}
