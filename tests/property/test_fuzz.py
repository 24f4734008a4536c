"""Each target of ``make fuzz``, without its guidance: good examples with something changed in them."""

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).resolve().parents[2]))

from fuzz import run
from fuzz.seeds import SEEDS
from fuzz.targets import TARGETS

changes = st.lists(
    st.tuples(
        st.sampled_from(["set", "cut", "put", "copy"]),
        st.floats(0, 1),
        st.binary(min_size=1, max_size=8)
        | st.sampled_from([b"\0", b"\xff\xfe", b"[" * 3000, b"9" * 5000, b"(" * 3000, b"-1", b"{}"]),
    ),
    max_size=4,
)


def changed(body: bytes, told: list[tuple[str, float, bytes]]) -> bytes:
    for how, where, piece in told:
        at = int(where * len(body))
        after = at + len(piece)
        match how:
            case "set":
                body = body[:at] + piece + body[after:]
            case "cut":
                body = body[:at] + body[after:]
            case "put":
                body = body[:at] + piece + body[at:]
            case _:
                body = body[:after] + body[at:]
    return body


def test_every_target_has_its_seeds() -> None:
    assert TARGETS.keys() == SEEDS.keys()


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=30)
@given(data=st.data())
def test_no_bytes_make_a_reader_fail(name: str, data: st.DataObject) -> None:
    body = data.draw(st.sampled_from(SEEDS[name]))
    TARGETS[name](changed(body, data.draw(changes)))


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_are_read(name: str) -> None:
    for seed in SEEDS[name]:
        TARGETS[name](seed)


def test_where_it_cannot_run_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "find_spec", lambda _: None)
    assert run.main() == 2
    assert "atheris is not to be had for" in capsys.readouterr().err
    monkeypatch.setattr(run, "find_spec", lambda name: name)
    monkeypatch.setattr(sys, "argv", ["run.py", "nothing"])
    assert run.main() == 2
    assert "there is no target nothing; there are page_json, " in capsys.readouterr().err
