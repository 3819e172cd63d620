"""The ASGI application of the web form: one page a link, which asks or tells; one POST that answers."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import structlog
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from quarantine.answers.desk import Answers
from quarantine.answers.model import FORM, Answer, BadSecret, Question, Spent
from quarantine.answers.secrets import named
from quarantine.answers.words import offers
from quarantine.database import Conflict
from quarantine.form.fields import choices, chosen, is_nonce, nonce, read, ticks, wrong
from quarantine.form.guard import Guard, TooLarge, TooSlow
from quarantine.form.limits import WrongLinks
from quarantine.form.pages import STYLE, STYLE_NAME, Asked, Pages
from quarantine.model import HoldRow, OutboxRow, State
from quarantine.notices.placeholders import TICKS
from quarantine.notices.render import Summary, summary
from quarantine.notices.settings import Settings
from quarantine.notices.today import outcomes_of
from quarantine.notices.wording import Templates
from quarantine.records import Records
from quarantine.settings import Form
from quarantine.state import NotAllowed
from quarantine.stores import StoreError

log = structlog.get_logger()
SETTLE: Final = 4.0  # seconds that an answer waits for what came of it, so that the next page can say so
LOOK_EVERY: Final = 0.1
FIELDS: Final = 100
HEALTH: Final = "/healthz"
# state of the hold -> which page tells of it (the variants of form.txt)
TELLS: Final[Mapping[State, str]] = {
    State.ASKED: "expired",
    State.QUARANTINED: "asked",
    State.RELEASING: "sending",
    State.RELEASED: "sent",
    State.REFUSED: "refused",
    State.EXPIRED: "expired",
    State.DELETED: "deleted",
}


class BadBody(Exception):
    """The body is no form."""


@dataclass(frozen=True, slots=True)
class Office:
    """What the form works with.

    ``reminder_at``: when a hold is reminded of; ``nudge``: something was decided, look now; ``settle``: see ``SETTLE``.
    """

    answers: Answers
    records: Records
    templates: Templates
    settings: Settings
    clock: Callable[[], float]
    reminder_at: Callable[[HoldRow], float | None] = lambda row: None
    nudge: Callable[[], None] = lambda: None
    settle: float = SETTLE


class Desk:
    """The endpoints."""

    def __init__(self, office: Office, options: Form, base: str) -> None:
        self._office, self._options, self._base = office, options, base
        told = office.settings
        self._pages = {
            name: Pages(office.templates.language(name), told, base, offsite=options.offsite, confirm=options.confirm_sender)
            for name in {told.language, *told.languages.values()}
        }
        self._wrong_links = WrongLinks()

    async def link(self, request: Request) -> Response:
        """What a link leads to; only POST acts."""
        return await (self.take(request) if request.method == "POST" else self.show(request))

    async def show(self, request: Request) -> Response:
        """GET: asks, or tells what is true now.  Changes nothing."""
        secret = _secret(request)
        left = [code for code in TICKS if code in request.query_params.get("left", "")[:200].split(",")]
        return await run_in_threadpool(self._shown, secret, left, "left" in request.query_params)

    async def take(self, request: Request) -> Response:
        """POST: answers once; whatever came of it is then told by GET, so that "back" and "reload" send nothing."""
        secret = _secret(request)
        await run_in_threadpool(self._office.answers.first_hold, secret, FORM)  # a wrong link is told nothing but that
        sent = await _fields(request)
        ours = request.headers.get("sec-fetch-site", "same-origin") == "same-origin"  # browsers since 2023 say it
        if not ours or not is_nonce(sent.get("nonce", [""])[0], secret):
            return self._told("stale", 403)
        answered = await run_in_threadpool(self._answered, secret, sent)
        if isinstance(answered, Response):
            return answered
        self._office.nudge()
        await self._settled(secret)
        return RedirectResponse(f"{self._base}/{secret}?left={','.join(answered)}", 303)

    def _shown(self, secret: str, left: list[str], partly: bool) -> Response:
        office, now = self._office, self._office.clock()
        try:
            question = office.answers.question(secret, now)
        except Spent:
            return self._over(secret, left)
        return self._asked(Asked(question, choices(question), partly=partly), secret, 200)

    def _answered(self, secret: str, sent: Mapping[str, list[str]]) -> Response | tuple[str, ...]:
        """A page that asks again, or the ticks that were not set."""
        office, now = self._office, self._office.clock()
        try:
            question = office.answers.question(secret, now)
        except Spent:
            return ()
        offered = choices(question)
        filled = read(sent, offered)
        fault = wrong(filled, offered, question.sender if self._options.confirm_sender else None)
        choice = chosen(filled, offered)
        if fault or choice is None:
            return self._asked(Asked(question, offered, filled, fault), secret, 422)
        ticked = tuple(sorted(filled.ticks)) if choice.consent else ()
        told = office.answers.answer(secret, Answer(choice.word, filled.text(choice), filled.by, FORM, ticked), now)
        if told.outcome == "not-understood":
            return self._asked(Asked(question, offered, filled, choice.needs or "choice"), secret, 422)
        log.info("form.answered", ref=told.ref, outcome=told.outcome)
        return tuple(code for code in ticks(offered) if code not in filled.ticks) if choice.consent else ()

    async def _settled(self, secret: str) -> None:
        """Wait a little for a release to end: most do within a second."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._office.settle
        while loop.time() < until:
            row = await run_in_threadpool(self._office.records.hold, named(secret).hold)
            if row is None or row.state is not State.RELEASING:
                return
            await asyncio.sleep(LOOK_EVERY)

    def _asked(self, asked: Asked, secret: str, status: int) -> Response:
        summed = self._summary(asked.question.message, asked.question.holds)
        asked = replace(asked, reach=self._reach(asked.question))
        pages = self._pages[self._office.settings.language_of(asked.question.sender)]
        return HTMLResponse(pages.ask(asked, summed, nonce(secret)), status)

    def _reach(self, question: Question) -> dict[str, tuple[str, ...]]:
        """Word -> the holds it lets go, for words that do not let go all of them."""
        found: dict[str, tuple[str, ...]] = {}
        for hold in question.holds:
            row = self._office.records.hold(hold)
            for offer in offers(row.answers if row is not None else ()):
                found[offer.word] = (*found.get(offer.word, ()), hold)
        return {word: holds for word, holds in found.items() if len(holds) < len(question.holds)}

    def _over(self, secret: str, left: list[str]) -> Response:
        row = self._office.answers.first_hold(secret, FORM)
        variant = TELLS.get(row.state, "over")
        again = f"{self._base}/{secret}" if variant == "sending" else ""
        told = left if variant in ("sending", "sent", "asked") else []
        pages = self._pages[self._office.settings.language_of(row.sender)]
        return HTMLResponse(pages.tell(variant, self._summary(row.message, (row.id,)), told, again))

    def _summary(self, message: str, holds: tuple[str, ...]) -> Summary:
        office = self._office
        row = OutboxRow(0, "", message, holds[0], "", "sender", 0.0)
        outcomes = outcomes_of(office.records, row, office.reminder_at)
        return summary(outcomes, office.clock(), office.settings, office.templates, holds)

    def _told(self, variant: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
        pages = self._pages[self._office.settings.language]  # nobody knows whose link it should have been
        return HTMLResponse(pages.tell(variant), status, dict(headers or {}))

    # -- what goes wrong -----------------------------------------------------------------------------------------------

    async def unknown(self, request: Request, _error: Exception) -> Response:
        """No link of ours, whatever is wrong with it: always the same page."""
        client = request.client.host if request.client else ""
        if self._wrong_links.add(client, self._office.clock()):
            return self._told("slow", 429, {"Retry-After": "600"})
        return self._told("unknown", 404)

    async def refused(self, _request: Request, error: Exception) -> Response:
        """A method that does nothing here."""
        told = error if isinstance(error, HTTPException) else HTTPException(400)
        return self._told("stale", told.status_code, told.headers)

    async def bad(self, _request: Request, error: Exception) -> Response:
        """A body that is no answer."""
        status = {TooLarge: 413, TooSlow: 408}.get(type(error), 400)  # BadBody: 400
        return self._told("stale", status, {"Connection": "close"})

    async def trouble(self, _request: Request, error: Exception) -> Response:
        """Records, disk or a decision made this very moment by somebody else: opening the link again shows what is true."""
        log.error("form.trouble", error=type(error).__name__)
        return self._told("trouble", 503, {"Retry-After": "30"})

    async def style(self, _request: Request) -> Response:
        """The style sheet; its name changes with its content."""
        return Response(STYLE, media_type="text/css", headers={"Cache-Control": "public, max-age=31536000, immutable"})

    async def health(self, _request: Request) -> Response:
        """Can the form ask the records?"""
        await run_in_threadpool(self._office.records.fact, "schema")
        return PlainTextResponse("ok\n")


def _secret(request: Request) -> str:
    return str(request.path_params["secret"]).strip().lower()


async def _fields(request: Request) -> dict[str, list[str]]:
    """The fields of the body, as the page's form sends them.  Raises ``BadBody``."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise BadBody
    try:
        return parse_qs((await request.body()).decode("utf-8"), keep_blank_values=True, max_num_fields=FIELDS)
    except ValueError:  # not UTF-8, or more fields than the page has
        raise BadBody from None


def make_app(office: Office, options: Form) -> ASGIApp:
    """The application for ``options.url``.  Raises KeyError for a language without texts."""
    address = urlsplit(options.url)
    base = address.path.rstrip("/")
    desk = Desk(office, options, base)
    routes = [
        Route(HEALTH, desk.health),
        Route(f"{base}/{STYLE_NAME}", desk.style),
        Route(f"{base}/{{secret}}", desk.link, methods=["GET", "POST"]),
    ]
    handlers: dict[Any, Any] = {
        BadSecret: desk.unknown, 404: desk.unknown, 405: desk.refused, BadBody: desk.bad, TooLarge: desk.bad, TooSlow: desk.bad,
        **dict.fromkeys((sqlite3.Error, OSError, StoreError, Conflict, NotAllowed, Exception), desk.trouble),
    }  # fmt: skip
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False
    return Guard(app, address.netloc, address.scheme == "https")
