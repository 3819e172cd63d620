"""What scanners, strangers and broken clients meet: nothing acts, nothing is told, nothing is kept."""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quarantine.form import guard
from quarantine.form.fields import Choice, choices, is_nonce, nonce, read, ticks, wrong
from quarantine.form.limits import CLIENTS, SPAN, TRIES, WrongLinks
from quarantine.model import State
from tests.support.formkit import FormWorld, nonce_of, secret_of, words

pytestmark = pytest.mark.unit


@pytest.fixture
def form(tmp_path: Path) -> FormWorld:
    return FormWorld(tmp_path)


def whole(form: FormWorld) -> list[tuple[Any, ...]]:
    """Everything the records hold."""
    records = form.world.records
    tables = [row["name"] for row in records.all("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    return [(table, *map(tuple, records.all(f"SELECT * FROM {table}"))) for table in tables]


@pytest.mark.slow
def test_a_link_scanner_changes_nothing(form: FormWorld) -> None:
    """Scanners, previews and prefetching open every link, again and again, some with other methods."""
    path = form.hold()
    before, audit = whole(form), form.world.settings.audit.read_bytes()
    for _ in range(100):
        for method in ("GET", "HEAD", "OPTIONS"):
            got = form.client.request(method, path, headers={"Sec-Purpose": "prefetch", "User-Agent": "SafeLinks"})
            assert got.status_code == (405 if method == "OPTIONS" else 200)
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND"):
        assert form.client.request(method, path).status_code == 405
    assert whole(form) == before and form.world.settings.audit.read_bytes() == audit
    assert form.client.get(path).text.count("<form") == 1


def test_a_scanner_that_presses_the_button_changes_nothing(form: FormWorld) -> None:
    """Some send forms as they find them: no answer is chosen beforehand, so nothing is answered."""
    path = form.hold()
    got = form.client.post(path, data={"nonce": nonce_of(form.client.get(path).text)})
    assert got.status_code == 422 and form.row().state is State.ASKED


@pytest.mark.parametrize("given", ["", "0" * 32, "wrong"])
def test_an_answer_that_did_not_begin_on_the_page_is_not_taken(form: FormWorld, given: str) -> None:
    path = form.hold()
    got = form.client.post(path, data={"nonce": given, "answer": "VERBAL"})
    assert got.status_code == 403 and form.row().state is State.ASKED
    assert "Please open the link again" in got.text


def test_another_site_cannot_post(form: FormWorld) -> None:
    path = form.hold()
    nonce_here = nonce_of(form.client.get(path).text)
    for site in ("cross-site", "same-site"):
        got = form.client.post(path, data={"nonce": nonce_here, "answer": "VERBAL"}, headers={"Sec-Fetch-Site": site})
        assert got.status_code == 403
    assert form.row().state is State.ASKED
    got = form.client.post(path, data={"nonce": nonce_here, "answer": "VERBAL"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert got.status_code == 303


def wrongs(path: str) -> list[str]:
    base, _, secret = path.rpartition("/")
    swapped = "b" if secret[-1] == "a" else "a"
    return [
        f"{base}/{secret[:-1]}{swapped}",  # the HMAC
        f"{base}/{swapped}{secret[1:]}",  # another hold
        f"{base}/{secret[:-1]}", f"{base}/{secret}a", f"{base}/{'a' * 52}", f"{base}/x", f"{base}/", base, "/", f"{path}/",
        f"{base}/{secret[:26]}/{secret[26:]}", f"{base}/%00{secret[1:]}", f"{base}/{'é' * 52}", f"{base}/..%2f..%2fetc",
    ]  # fmt: skip


def test_every_wrong_link_meets_the_same_page(form: FormWorld) -> None:
    """Nobody learns whether a hold exists, has ended, or what was wrong with the link."""
    paths = wrongs(form.hold())
    pages = {(got.status_code, got.text) for path in paths for got in [form.client.get(path)]}
    assert len(pages) == 1
    ((status, text),) = pages
    assert status == 404 and "This link does not work" in text


@pytest.mark.slow
def test_a_wrong_link_takes_as_long_as_another(form: FormWorld) -> None:
    """A hold that exists is not told from one that does not by the clock."""
    path = form.hold()
    base = path.rpartition("/")[0]
    known, unknown = wrongs(path)[0], f"{base}/{'b' * 52}"
    spent: dict[str, list[float]] = {known: [], unknown: []}
    form.browser().get(known)
    for turn in range(25):
        for one in (known, unknown) if turn % 2 else (unknown, known):
            client = form.browser((f"198.51.100.{turn}", 1))
            start = time.process_time()  # not the wall's: other programs' load would be measured
            client.get(one)
            spent[one].append(time.process_time() - start)
    medians = [statistics.median(values) for values in spent.values()]
    assert abs(medians[0] - medians[1]) < 0.005  # an HMAC is 5 µs; the answer takes milliseconds


def test_a_post_to_a_wrong_link_meets_the_same_page(form: FormWorld) -> None:
    for path in wrongs(form.hold()):
        got = form.client.post(path, data={"nonce": "x", "answer": "VERBAL"})
        assert got.status_code == 404


def test_one_client_cannot_try_links_for_ever_and_locks_nobody_out(form: FormWorld) -> None:
    """A whole hospital may come from one address: a right link always works."""
    path = form.hold()
    wrong_path = path.rpartition("/")[0] + "/" + "a" * 52
    codes = [form.client.get(wrong_path).status_code for _ in range(TRIES + 5)]
    assert codes == [404] * TRIES + [429] * 5
    assert form.client.get(path).status_code == 200
    assert form.browser(("203.0.113.1", 1)).get(wrong_path).status_code == 404
    form.world.now += SPAN + 1
    assert form.client.get(wrong_path).status_code == 404


def test_clients_are_counted_in_bounded_memory() -> None:
    limits = WrongLinks()
    for number in range(CLIENTS + 100):
        limits.add(f"10.0.{number // 256}.{number % 256}", 0.0)
    assert len(limits._seen) == CLIENTS
    assert [limits.add(f"2001:db8:1:2::{n:x}", 0.0) for n in range(TRIES + 1)][-1]  # one household, one count


def test_every_answer_forbids_keeping_framing_indexing_and_referring(form: FormWorld) -> None:
    path = form.hold()
    style = form.client.get(path).text.partition('stylesheet" href="')[2].partition('"')[0]
    answers = [
        form.client.get(path), form.client.get("/nothing"), form.client.options(path), form.client.post(path, data={}),
        form.client.get("/healthz"), form.client.get(path, headers={"Host": "evil.example"}), form.client.get(style),
        form.answer(path, "VERBAL"),
    ]  # fmt: skip
    for got in answers:
        told = got.headers
        assert "default-src 'none'" in told["content-security-policy"]
        assert "frame-ancestors 'none'" in told["content-security-policy"] and "unsafe" not in told["content-security-policy"]
        assert told["referrer-policy"] == "no-referrer" and "noindex" in told["x-robots-tag"]
        assert told["x-content-type-options"] == "nosniff" and told["x-frame-options"] == "DENY"
        assert told["strict-transport-security"].startswith("max-age=")
        assert "set-cookie" not in told and "server" not in told
        assert told["cache-control"] == "no-store" or got.request.url.path == style


@pytest.mark.parametrize("host", ["evil.example", "answers.own.example:8443", "127.0.0.1", ""])
def test_only_our_own_name_is_answered(form: FormWorld, host: str) -> None:
    """No link of ours can be made to point elsewhere (DNS rebinding, poisoned caches)."""
    path = form.hold()
    got = form.client.get(path, headers={"Host": host})
    assert got.status_code == 421 and "<form" not in got.text


def test_a_body_larger_than_any_answer_is_refused(form: FormWorld) -> None:
    path = form.hold()
    nonce_here = nonce_of(form.client.get(path).text)
    big = {"nonce": nonce_here, "answer": "VERBAL", "told": "x" * guard.BODY}
    assert form.client.post(path, data=big).status_code == 413

    def chunks() -> Any:  # no Content-Length
        yield b"nonce=" + nonce_here.encode() + b"&answer=VERBAL&told="
        for _ in range(20):
            yield b"x" * 1000

    got = form.client.post(path, content=chunks(), headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert got.status_code == 413 and form.row().state is State.ASKED


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{}", "application/json"), (b"\xff\xfe", "application/x-www-form-urlencoded"), (b"", ""),
        (b"&".join(b"a=%d" % n for n in range(200)), "application/x-www-form-urlencoded"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_form_is_refused(form: FormWorld, body: bytes, kind: str) -> None:
    path = form.hold()
    got = form.client.post(path, content=body, headers={"Content-Type": kind})
    assert got.status_code == 400 and "Please open the link again" in got.text


async def test_a_body_that_never_comes_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "SECONDS", 0.02)

    async def never() -> Any:
        await asyncio.sleep(60)

    with pytest.raises(guard.TooSlow):
        await guard._Bounded(never)()


@pytest.mark.parametrize("error", [sqlite3.OperationalError("disk"), OSError("disk"), KeyError("oops")])
def test_trouble_says_to_open_the_link_again(form: FormWorld, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of an exception reaches the page; a bug is told in the log by its type."""
    path = form.hold()

    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(form.office.answers, "question", broken)
    client = form.browser()
    client = type(client)(client.app, base_url="https://answers.own.example", raise_server_exceptions=False)
    got = client.get(path)
    assert got.status_code in (500, 503) and "Something is wrong on our side" in got.text
    assert "disk" not in got.text and "oops" not in got.text


GARBAGE = st.text(max_size=60) | st.sampled_from(
    ["VERBAL", "EMERGENCY", "ASK IG", "DELETE", "x" * 300, "\x00", "[consent verbal]"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(["nonce", "answer", "text-0", "text-4", "told", "from", "left", "\ud7ff"]) | GARBAGE, GARBAGE, max_size=6
    )
)
@pytest.mark.slow
def test_garbage_never_acts_and_never_breaks_the_page(form: FormWorld, sent: dict[str, str]) -> None:
    """Whatever a client sends without the page's nonce: a plain page, no error of ours, the hold waits on."""
    path = form.path() if form.world.records.holds() else form.hold()
    got = form.client.post(path, data=sent)
    assert got.status_code in (400, 403, 413) and form.row().state is State.ASKED
    assert form.client.get(path, params=sent).status_code == 200


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(word=GARBAGE, text=GARBAGE, told=st.lists(GARBAGE, max_size=4))
@pytest.mark.slow
def test_with_the_nonce_only_an_offered_word_acts(form: FormWorld, word: str, text: str, told: list[str]) -> None:
    path = form.path() if form.world.records.holds() else form.hold(answers=["[to patient {address}]"])
    got = form.client.post(path, data={"nonce": nonce(secret_of(path)), "answer": word, "text-0": text, "told": told})
    if word in ("ASK IG", "DELETE"):  # the hold goes; begin anew
        assert got.status_code == 303
        form.world.records.run("UPDATE holds SET state = 'ASKED', closed = NULL")
        form.world.records.run("UPDATE recipients SET state = 'held'")
    else:
        assert got.status_code == 422 and form.row().state is State.ASKED


@given(st.text(max_size=80), st.text(max_size=80))
def test_a_nonce_is_its_secrets_own(one: str, other: str) -> None:
    assert is_nonce(nonce(one), one)
    assert is_nonce(nonce(one), other) == (one.strip().lower() == other.strip().lower())


@given(st.dictionaries(st.text(max_size=10), st.lists(st.text(max_size=400), max_size=3), max_size=6))
def test_what_was_sent_is_kept_to_what_was_asked(sent: dict[str, list[str]]) -> None:
    offered = (Choice("VERBAL", "", "", "", consent=True), Choice("EMERGENCY", "", "reason", "text-1"))
    filled = read(sent, offered)
    assert filled.ticks <= set(ticks(offered)) and set(filled.texts) == {"text-1"}
    assert len(filled.texts["text-1"]) <= 200 and len(filled.word) <= 100 and len(filled.by) <= 320
    assert wrong(filled, offered, None) in ("", "choice", "reason")
    assert choices.__doc__


def test_the_log_holds_no_link(form: FormWorld, capsys: pytest.CaptureFixture[str]) -> None:
    """The secret stands in no line of ours: reference and outcome only."""
    path = form.hold()
    form.client.get(path)
    form.answer(path, "VERBAL")
    form.client.get(path.replace(path[-4:], "zzzz"))
    told = "".join(capsys.readouterr())
    assert "form.answered" in told and secret_of(path) not in told and path not in told
    assert words("<p>a</p>") == "a"
