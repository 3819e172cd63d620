"""What a site sets about its notices: who speaks, who is asked, which clock and which language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from quarantine.settings import QuarantineSettings


class SettingsError(ValueError):
    """A setting is missing or cannot be used; the text names it and says what to write."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Addresses are bare (``postmaster@example.org``), contacts are words for people ("IG team, ext. 4410").

    Every notice that offers no way on says whom to phone: ``on_call`` may be empty only while nothing is held (observe).
    """

    domain: str  # right-hand side of our Message-IDs; a neutral name, not a host name
    from_address: str
    ig_address: str
    ig_contact: str = ""  # words; empty = the IG address
    on_call: str = ""  # words: whom to phone when it cannot wait
    on_call_address: str = ""  # mailbox of who is on call; empty = the IG mailbox
    mail_admin_address: str = ""  # empty = the postmaster
    postmaster_address: str = ""  # empty = ``from_address``
    organisation: str = ""
    language: str = "en"  # a folder of the templates
    timezone: str = "Europe/London"  # the clock that notices speak of
    languages: Mapping[str, str] = field(default_factory=dict)  # domain or address of who is written to -> language
    feedback: str = ""  # where people say that a notice was not clear; empty = not mentioned
    review_hours: str = ""  # "4 working hours"; empty = no promise is made (N-2)
    alternatives: str = ""  # other ways of the site: "e-RS Advice and Guidance"; empty = not mentioned
    hold_for: float = 86_400.0  # seconds until a hold expires; used only where the hold's own deadline is not known
    first_times: int = 3  # a sender's first N-3 notices are sent one by one
    digest_weekday: int = 0  # Monday: when the weekly digest of N-3 is sent
    digest_hour: int = 8
    zone: ZoneInfo = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("domain", "from_address", "ig_address"):
            if not str(getattr(self, name)).strip():
                raise SettingsError(f"notices: {name} is empty: notices must say who speaks and whom to ask")
        for name in ("from_address", "ig_address", "on_call_address", "mail_admin_address", "postmaster_address"):
            value = getattr(self, name)
            if value and ("@" not in value or not value.isascii() or any(c.isspace() or c in "<>,;" for c in value)):
                raise SettingsError(f"notices: {name} is not an address: write it as name@example.org")
        if self.digest_weekday not in range(7) or self.digest_hour not in range(24):
            raise SettingsError("notices: the digest needs a weekday from 0 (Monday) to 6 and an hour from 0 to 23")
        try:
            object.__setattr__(self, "zone", ZoneInfo(self.timezone))
        except (OSError, ValueError, KeyError) as error:  # ZoneInfoNotFoundError is a KeyError
            raise SettingsError(f"notices: timezone {self.timezone!r} is not known: write it as Europe/London") from error

    def language_of(self, address: str) -> str:
        """The language in which this address is written to: its own, its domain's, else the site's."""
        known = {name.lower(): language for name, language in self.languages.items()}
        whole = address.lower()
        return known.get(whole) or known.get(whole.rpartition("@")[2]) or self.language

    def mailbox(self, role: str) -> str:
        """The mailbox of a role: ig | on-call | mail-admin | postmaster.  Any other role is nobody's: the IG team's."""
        postmaster = self.postmaster_address or self.from_address
        table = {"on-call": self.on_call_address, "mail-admin": self.mail_admin_address or postmaster, "postmaster": postmaster}
        return table.get(role) or self.ig_address


def from_options(options: QuarantineSettings) -> Settings:
    """The notices' settings out of the service's configuration.  Raises SettingsError."""
    addresses = options.addresses
    return Settings(
        domain=addresses.sender.rpartition("@")[2].lower(),
        from_address=addresses.sender,
        ig_address=addresses.ig,
        ig_contact=addresses.questions,
        on_call=addresses.on_call_contact,
        on_call_address=addresses.on_call,
        mail_admin_address=addresses.mail_admin,
        postmaster_address=addresses.postmaster,
        organisation=options.organisation,
        language=options.language,
        languages=dict(options.languages),
        feedback=addresses.feedback,
        timezone=options.office.zone,
        review_hours=options.review_hours,
    )
