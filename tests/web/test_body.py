"""A body is bounded in size and in patience, and what is left of it is read once the answer is on its way."""

import asyncio

import pytest

from fakes.asgi import Message, scope, sending
from wheelkeep.web import body as module
from wheelkeep.web.body import Body, BodyBrokenOffError, BodyTooLargeError
from wheelkeep.web.respond import Request


def made(*pieces: bytes, most: int = 100, gone: bool = False, **headers: str) -> tuple[Body, list[Message]]:
    """A body, and the messages that were taken of it so far."""
    taken: list[Message] = []
    client = sending(*pieces, gone=gone)

    async def receive() -> Message:
        message = await client()
        taken.append(message)
        return message

    return Body(Request(scope("POST", "/main/legacy/", headers), receive), most=most), taken


async def read(body: Body) -> bytes:
    return b"".join([piece async for piece in body.chunks()])


async def test_all_of_it() -> None:
    body, _ = made(b"one ", b"", b"two")
    assert await read(body) == b"one two"
    await body.drain()


async def test_more_than_is_taken() -> None:
    body, _ = made(b"x" * 60, b"x" * 60, b"x")
    with pytest.raises(BodyTooLargeError):
        await read(body)
    announced, taken = made(b"x", content_length="101")
    with pytest.raises(BodyTooLargeError):
        await read(announced)
    assert not taken


async def test_a_client_that_goes_away() -> None:
    body, _ = made(b"x", gone=True)
    with pytest.raises(BodyBrokenOffError):
        await read(body)
    await body.drain()


async def test_a_client_that_falls_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    silent = Body(Request(scope("POST", "/", {}), asyncio.Event().wait), most=100)  # type: ignore[arg-type]
    with pytest.raises(BodyBrokenOffError):
        await read(silent)
    await silent.drain()


async def test_who_has_the_answer_and_falls_silent_is_not_waited_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client that announced a body and never sends it must not hold up the server's end."""
    monkeypatch.setattr(module, "PATIENCE_ANSWERED", 0.05)
    silent = Body(
        Request(scope("POST", "/", {"content_length": "9"}), asyncio.Event().wait),  # type: ignore[arg-type]
        most=100,
    )
    async with asyncio.timeout(10):
        await silent.drain()


async def test_what_is_left_is_read() -> None:
    body, taken = made(*[b"x" * 10] * 5, content_length="50")
    async for _ in body.chunks():
        break
    await body.drain()
    assert len(taken) == 5
    unread, taken = made(*[b"x" * 10] * 5)
    await unread.drain()
    assert len(taken) == 5


async def test_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_DRAINED", 25)
    body, taken = made(*[b"x" * 10] * 50)
    await body.drain()
    assert len(taken) == 3


async def test_who_waits_for_leave_to_send_is_not_asked_to() -> None:
    body, taken = made(b"x", expect="100-continue")
    await body.drain()
    assert not taken
    begun, taken = made(b"x", b"y", expect="100-continue")
    async for _ in begun.chunks():
        break
    await begun.drain()
    assert len(taken) == 2


async def test_nothing_is_waited_for_behind_the_stated_end() -> None:
    """A server may keep the last message back until the client goes."""
    body, taken = made(b"x" * 10, content_length="10", gone=True)
    async for _ in body.chunks():
        break
    await body.drain()
    assert len(taken) == 1


async def test_a_client_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLOW_AFTER", 0.05)

    async def dripping() -> Message:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"x", "more_body": True}

    body = Body(Request(scope("POST", "/", {}), dripping), most=100_000)
    with pytest.raises(BodyBrokenOffError):
        await read(body)
    monkeypatch.setattr(module, "SLOWEST", 1)
    patient, _ = made(b"x", b"y")
    assert await read(patient) == b"xy"
