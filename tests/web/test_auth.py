"""The doorkeeper by itself: which credentials are some, what is answered, what is kept and what is noted."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from fakes.stores import Store
from wheelkeep.core import token_text
from wheelkeep.core.access import Caller, Publish, Read, Scope, Want, read_scope
from wheelkeep.core.names import IndexName, SourceName, project
from wheelkeep.store.tokens import Tokens
from wheelkeep.web.attempts import FREE
from wheelkeep.web.auth import Auth
from wheelkeep.web.respond import Request, Response

MAIN = Read(IndexName("main"))
GOOD, UNKNOWN = (token_text.write(bytes([seed]) * 32) for seed in (1, 2))


class Door:
    """A doorkeeper with one token, ``ci``, that may read ``main``."""

    def __init__(self, store: Store) -> None:
        self.tokens = Tokens(store.database)
        self.auth = Auth(self.tokens)

    async def add(self, *scopes: str, expires: datetime | None = None) -> None:
        read = tuple(read_scope(scope) for scope in scopes)
        now = datetime.now(UTC)
        await self.tokens.add(GOOD, name="ci", scopes=read, created=now, expires=expires)

    async def ask(self, given: str | None, want: Want = MAIN, client: str = "192.0.2.1") -> Caller | Response:
        return await self.auth.check(request(given, client=client), want)

    async def status(self, given: str | None, want: Want = MAIN, client: str = "192.0.2.1") -> int:
        """200 where the caller is let in."""
        answer = await self.ask(given, want, client)
        return answer.status if isinstance(answer, Response) else 200


@pytest_asyncio.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with Store(tmp_path / "data") as store:
        made = Door(store)
        yield made
        await made.auth.close()


def request(*given: str | None, client: str | None = "192.0.2.1") -> Request:
    headers = [(b"authorization", one.encode("latin-1")) for one in given if one is not None]
    scope = {"type": "http", "method": "GET", "path": "/main/", "query_string": b"", "headers": headers}
    scope["client"] = None if client is None else (client, 50000)

    async def receive() -> dict[str, object]:
        raise AssertionError("nothing of a body is read")

    return Request(scope, receive)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def detail(answer: Caller | Response) -> str:
    assert isinstance(answer, Response)
    return str(json.loads(answer.body)["detail"])


@pytest.mark.parametrize(
    "given",
    [
        basic("__token__", GOOD),
        basic("__token__", GOOD).replace("Basic", "basic"),
        basic("__token__", GOOD).replace("Basic ", "BASIC  "),
        f"Bearer {GOOD}",
        f"bearer {GOOD}",
    ],
)
async def test_credentials(door: Door, given: str) -> None:
    await door.add("read:main")
    assert await door.ask(given) == Caller("ci", (Scope("read", "main"),))


@pytest.mark.parametrize(
    "given",
    [
        "",
        "Basic",
        "Bearer",
        GOOD,
        f"Token {GOOD}",
        f"Digest {GOOD}",
        f"Bearer {UNKNOWN}",
        f"Bearer {GOOD}, Bearer {GOOD}",
        f"Bearer {GOOD} {GOOD}",
        f"Bearer {GOOD[:-1]}",
        f"Bearer {GOOD}\xe9",
        f"Basic {GOOD}",
        "Basic %%%",
        "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
        basic("__token__", UNKNOWN),
        basic("__token__", ""),
        basic("__token__", f" {GOOD}"),
        basic("ci", GOOD),
        basic("", GOOD),
        basic("__TOKEN__", GOOD),
        basic(GOOD, ""),
        basic(GOOD, GOOD),
        basic("__token__", GOOD)[:-3],
        basic("__token__", GOOD) + "!",
    ],
)
async def test_what_is_no_credentials(door: Door, given: str) -> None:
    await door.add("read:main")
    answer = await door.ask(given)
    assert isinstance(answer, Response)
    assert answer.status == 401
    assert dict(answer.headers)[b"www-authenticate"] == b'Basic realm="wheelkeep"'
    assert GOOD not in answer.body.decode()
    assert await door.auth.caller(request(given)) is None


async def test_two_credentials_are_none(door: Door) -> None:
    await door.add("read:main")
    answer = await door.auth.check(request(f"Bearer {GOOD}", basic("__token__", GOOD)), MAIN)
    assert isinstance(answer, Response)
    assert answer.status == 401


async def test_a_good_token_without_the_scope_is_told_which_it_lacks(door: Door) -> None:
    await door.add("publish:acme:acme-*", "approve")
    given = f"Bearer {GOOD}"
    refused = await door.ask(given)
    assert isinstance(refused, Response)
    assert (refused.status, b"www-authenticate" in dict(refused.headers)) == (403, False)
    assert detail(refused) == "this needs a token with the scope read:main"
    acme = SourceName("acme")
    assert await door.status(given, Publish(acme)) == 200
    assert await door.status(given, Publish(acme, project("acme-lib"))) == 200
    assert detail(await door.ask(given, Publish(acme, project("numpy")))).endswith("publish:acme:numpy")


async def test_without_credentials_the_way_to_give_some_is_told(door: Door) -> None:
    answer = await door.ask(None)
    assert isinstance(answer, Response)
    assert (answer.status, dict(answer.headers)[b"cache-control"]) == (401, b"no-store")
    assert detail(answer) == "this needs a token: give it as the password of the user __token__"


async def test_an_expired_token_is_told_so(door: Door) -> None:
    await door.add("read:main", expires=datetime.now(UTC) - timedelta(seconds=1))
    answer = await door.ask(f"Bearer {GOOD}")
    assert isinstance(answer, Response)
    assert answer.status == 401
    assert detail(answer).startswith("this token expired on 20")


async def test_a_kept_token_expires_to_the_moment(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    until = datetime.now(UTC) + timedelta(days=1)

    class Clock(datetime):
        moment = until - timedelta(microseconds=1)

        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return cls.moment

    monkeypatch.setattr("wheelkeep.web.auth._KEPT_FOR", 1e9)
    monkeypatch.setattr("wheelkeep.web.auth.datetime", Clock)
    await door.add("read:main", expires=until)
    assert await door.status(f"Bearer {GOOD}") == 200
    Clock.moment = until
    assert await door.status(f"Bearer {GOOD}") == 401


async def test_a_revoked_token_is_told_so_once_what_was_kept_is_old(door: Door) -> None:
    await door.add("read:main")
    assert await door.status(f"Bearer {GOOD}") == 200
    await door.tokens.revoke("ci", datetime.now(UTC))
    await asyncio.sleep(0.25)
    assert detail(await door.ask(f"Bearer {GOOD}")).startswith("this token was revoked on 20")


async def test_one_look_serves_the_requests_of_a_moment(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wheelkeep.web.auth._KEPT_FOR", 1e9)
    await door.add("read:main")
    looked = []
    find = door.tokens.find

    async def counted(text: str) -> object:
        looked.append(text)
        return await find(text)

    monkeypatch.setattr(door.tokens, "find", counted)
    for _ in range(5):
        assert await door.status(f"Bearer {GOOD}") == 200
    assert len(looked) == 1
    # What was not good is asked for again each time: it may have become so.
    assert [await door.status(f"Bearer {UNKNOWN}") for _ in range(2)] == [401, 401]
    assert len(looked) == 3


async def test_wrong_tokens_are_slowed_down_and_nobody_else(door: Door) -> None:
    await door.add("read:main")
    wrong = [await door.status(f"Bearer wk_{number}") for number in range(FREE)]
    assert wrong == [401] * FREE
    for given in (f"Bearer {UNKNOWN}", "Bearer x", basic("__token__", "y")):
        answer = await door.ask(given)
        assert isinstance(answer, Response)
        assert answer.status == 429
        assert 1 <= int(dict(answer.headers)[b"retry-after"]) <= 60
        assert await door.auth.caller(request(given)) is None
    # Many may share one address: the right token, and those who bring none, are answered as ever.
    assert await door.status(f"Bearer {GOOD}") == 200
    assert await door.status(None) == 401
    assert await door.status(f"Bearer {UNKNOWN}", client="192.0.2.2") == 401
    # Nor does anybody guess who sends the same again, or what is no token at all.
    assert await door.status("Bearer wk_0") == 401
    for given in ("Digest x", "Basic !", "Bearer ", basic("me", "y")):
        assert await door.status(given) == 401


async def test_a_lapsed_token_is_no_guess(door: Door) -> None:
    await door.add("read:main")
    await door.tokens.revoke("ci", datetime.now(UTC))
    assert {await door.status(f"Bearer {GOOD}") for _ in range(3 * FREE)} == {401}
    assert await door.status(f"Bearer {UNKNOWN}") == 401


async def test_a_server_without_client_addresses_counts_all_as_one(door: Door) -> None:
    asked = [request(f"Bearer {number}", client=None) for number in range(FREE + 1)]
    answers = [await door.auth.check(one, MAIN) for one in asked]
    assert [answer.status for answer in answers if isinstance(answer, Response)] == [401] * FREE + [429]


async def test_use_is_noted(door: Door) -> None:
    await door.add("read:main")
    before = datetime.now(UTC)
    for _ in range(3):
        await door.ask(f"Bearer {GOOD}")
    await door.auth.close()
    (token,) = await door.tokens.all()
    assert token.last_used is not None
    assert before <= token.last_used <= datetime.now(UTC)


async def test_a_disk_that_cannot_be_written_lets_readers_in(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    await door.add("read:main")
    monkeypatch.setattr(door.tokens, "used", full)
    assert await door.status(f"Bearer {GOOD}") == 200
    await door.auth.close()


async def test_the_caller_of_an_address_for_everybody(door: Door) -> None:
    await door.add("read:main")
    assert await door.auth.caller(request(None)) is None
    assert await door.auth.caller(request(f"Bearer {GOOD}")) == Caller("ci", (Scope("read", "main"),))
