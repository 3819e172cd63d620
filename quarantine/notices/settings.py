"""What a site sets about its notices: who speaks, who is asked, which clock and which language."""

from __future__ import annotations

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo


class SettingsError(ValueError):
    """A setting is missing or cannot be used; the text names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Addresses are bare (``postmaster@example.org``), contacts are words for people ("IG team, ext. 4410").

    ``on_call`` is mandatory: every notice that offers no way on says whom to phone (``clinigate check`` repeats this).
    """

    domain: str  # right-hand side of our Message-IDs; a neutral name, not a host name
    from_address: str
    ig_address: str
    ig_contact: str
    on_call: str  # words: whom to phone when it cannot wait
    on_call_address: str = ""  # mailbox of who is on call; empty = the IG mailbox
    mail_admin_address: str = ""  # empty = ``postmaster_address``
    postmaster_address: str = ""  # empty = ``from_address``
    organisation: str = "your organisation"
    language: str = "en"  # a folder of the templates
    timezone: str = "Europe/London"  # the clock that notices speak of
    review_hours: str = ""  # "4 working hours"; empty = no promise is made (N-2)
    alternatives: str = ""  # other ways of the site: "e-RS Advice and Guidance"; empty = not mentioned
    remind_after: float | None = None  # seconds from the hold to its reminder, to be announced; None = not announced
    hold_for: float = 86_400.0  # seconds until a hold expires; used only where the hold itself has no deadline
    first_times: int = 3  # a sender's first N-3 notices that are sent one by one
    digest_weekday: int = 0  # Monday: when the weekly digest of N-3 is sent
    digest_hour: int = 8
    zone: ZoneInfo = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("domain", "from_address", "ig_address", "ig_contact", "on_call"):
            if not str(getattr(self, name)).strip():
                raise SettingsError(f"notices: {name} is empty: notices must say who speaks and whom to ask")
        for name in ("from_address", "ig_address", "on_call_address", "mail_admin_address", "postmaster_address"):
            value = getattr(self, name)
            if value and ("@" not in value or not value.isascii() or any(c.isspace() for c in value)):
                raise SettingsError(f"notices: {name} is not an address: write it as name@example.org")
        try:
            object.__setattr__(self, "zone", ZoneInfo(self.timezone))
        except (OSError, ValueError, KeyError) as error:  # ZoneInfoNotFoundError is a KeyError
            raise SettingsError(f"notices: timezone {self.timezone!r} is not known: write it as Europe/London") from error

    def mailbox(self, role: str) -> str:
        """The mailbox of a role: ig | on-call | mail-admin | postmaster.  Any other role is nobody's: the IG team's."""
        table = {
            "on-call": self.on_call_address,
            "mail-admin": self.mail_admin_address or self.postmaster_address or self.from_address,
            "postmaster": self.postmaster_address or self.from_address,
        }
        return table.get(role) or self.ig_address
