"""The system's own knowledge of connections, read from real ones."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from wheelkeep.core import crowd as rules
from wheelkeep.web.crowd import Crowd

FIN_WAIT2 = 5
Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    """Ten connections: what the server has of each, and the client."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        made = []
        for _ in range(10):
            client = stack.enter_context(socket.create_connection(listening.getsockname()))
            made.append((stack.enter_context(listening.accept()[0]), client))
        yield made


def port(pairs: list[Pair]) -> int:
    return int(pairs[0][0].getsockname()[1])


def ended(pairs: list[Pair]) -> list[int]:
    """Which clients were told of an end."""
    for _, client in pairs:
        client.setblocking(False)
    found = []
    for number, (_, client) in enumerate(pairs):
        try:
            found += [number] if client.recv(1) == b"" else []
        except BlockingIOError:
            continue
    return found


def test_silent_connections_make_place_but_not_those_that_are_answered(
    pairs: list[Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "IDLE", 0.0)
    answered = {client.getsockname() for _, client in pairs[:7]}
    crowd = Crowd(port(pairs), 12, busy=answered.__contains__)
    assert crowd.look() == rules.short(10, 12) == 1
    assert len(ended(pairs)) == 1 and ended(pairs)[0] >= 7


def test_those_who_wait_for_a_place_are_seen(pairs: list[Pair], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "IDLE", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        waiting = [socket.create_connection(listening.getsockname()) for _ in range(3)]
        taken = [listening.accept()[0] for _ in range(2)]
        assert Crowd(listening.getsockname()[1], 100, busy=lambda _: False).look() == 1
        for one in (*waiting, *taken):
            one.close()


def test_who_asked_while_it_waited_for_a_place_is_answered_first(
    pairs: list[Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "IDLE", 0.0)
    for _, client in pairs[:-1]:
        client.sendall(b"GET / HTTP/1.1\r\n")
    assert Crowd(port(pairs), 8, busy=lambda _: False).look() == 1
    assert ended(pairs) == [9]
    for server, _ in pairs[:-1]:
        server.recv(100)
    # Nor is the one that was ended ended again, once its client's system heard of that.
    over = pairs[9][0]
    while over.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[0] != FIN_WAIT2:
        time.sleep(0.001)
    assert Crowd(port(pairs), 8, busy=lambda _: False).look() == 0


def test_while_there_are_places_nobody_is_touched(pairs: list[Pair]) -> None:
    assert Crowd(port(pairs), 100, busy=lambda _: False).look() == 0
    assert ended(pairs) == []


def test_who_takes_nothing_of_its_answer_is_given_up(
    pairs: list[Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "STALLED", 0.0)
    server, client = pairs[3]
    server.setblocking(False)
    with pytest.raises(BlockingIOError):
        while True:
            server.send(bytes(1 << 20))
    crowd = Crowd(port(pairs), 100, busy=lambda _: True)
    # At the first look it is seen waiting, at the second to have taken nothing since.
    assert crowd.look() + crowd.look() >= 1
    with pytest.raises(BrokenPipeError):
        server.send(b"more")
    assert client.recv(1)


def test_connections_to_other_places_are_not_looked_at(pairs: list[Pair]) -> None:
    assert Crowd(port(pairs) + 1, 8, busy=lambda _: False).look() == 0
