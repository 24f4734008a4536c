"""Who is ended when places are short: nobody who is served well, and first those of whoever has the most."""

import pytest

from wheelkeep.core.crowd import Connection, places, short, to_end


def connection(client: str = "a", port: int = 1, **more: float) -> Connection:
    made = Connection(client=client, port=port, silent=5.0, busy=False, waiting=0, taking=0.0, taken=0)
    return made._replace(**more)


@pytest.mark.parametrize(("limit", "most"), [(20_000, 2048), (1024, 320), (256, 64), (64, 8), (10, 8)])
def test_each_connection_may_need_several_descriptors(limit: int, most: int) -> None:
    assert places(limit) == most


def test_while_places_are_left_silence_is_nothing() -> None:
    assert to_end([connection(port=number, silent=14.0) for number in range(75)], 100) == []


def test_the_most_silent_of_whoever_has_the_most_go_first() -> None:
    many = [connection("many", number, silent=2.0 + number) for number in range(90)]
    few = [connection("few", number, silent=100.0) for number in range(5)]
    ended = to_end([*few, *many], 100)
    assert len(ended) == short(95, 100) == 20
    assert set(ended) == set(many[-20:])


def test_two_greedy_clients_give_up_the_same() -> None:
    both = [connection(name, number) for name in ("one", "two") for number in range(50)]
    ended = to_end(both, 100)
    counts = sorted(sum(one.client == name for one in ended) for name in ("one", "two"))
    assert counts == [12, 13]


def test_who_is_being_answered_stays() -> None:
    served = [connection(port=number, busy=True) for number in range(50)]
    taking = [connection(port=number, waiting=9, taking=20.0, taken=50_000_000) for number in range(50, 100)]
    assert to_end([*served, *taking], 100) == []


def test_the_slowest_takers_go_when_no_silent_one_is_left() -> None:
    slow = [
        connection(port=number, busy=True, waiting=9, taking=30.0, taken=number) for number in range(1, 101)
    ]
    ended = to_end(slow, 100)
    assert {one.taken for one in ended} == set(range(1, 26))
    assert to_end([one._replace(taking=5.0) for one in slow], 100) == []


def test_a_client_that_takes_nothing_is_given_up_at_any_time() -> None:
    stalled = connection(busy=True, waiting=9, taking=60.0)
    assert to_end([stalled], 1000) == [stalled]
    assert to_end([stalled._replace(taking=59.0), stalled._replace(taken=1)], 1000) == []
