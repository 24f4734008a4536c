"""Locks as they are written: what is read back is what was chosen, and the same choices are the same bytes."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from fakes import made
from wheelkeep.core.lockfiles import read_lock
from wheelkeep.core.names import ProjectName
from wheelkeep.core.write_lock import Choice, write_pylock, write_requirements

BASE = "https://keep.example/main"
MARKERS = ("", "python_version < '3.12'", "sys_platform == 'win32' and python_version >= '3.11'")


@st.composite
def _choices(draw: st.DrawFn) -> list[Choice]:
    found = []
    for name in draw(st.lists(st.sampled_from(["app", "lib", "plain-name", "zed"]), unique=True, min_size=1)):
        for version in draw(st.lists(st.sampled_from(["1.0", "1.10", "2.0rc1"]), unique=True, min_size=1)):
            module = name.replace("-", "_")
            files = [
                made.file(
                    f"{module}-{version}{tail}",
                    sha256=draw(st.integers(1, 2**64)).to_bytes(32).hex(),
                )
                for tail in draw(
                    st.lists(
                        st.sampled_from(["-py3-none-any.whl", "-cp311-cp311-win32.whl", ".tar.gz"]),
                        unique=True,
                        min_size=1,
                    )
                )
            ]
            found.append(
                Choice(
                    project=ProjectName(name),
                    version=version,
                    marker=draw(st.sampled_from(MARKERS)),
                    via=(ProjectName("app"),) if name != "app" else (),
                    files=tuple(sorted(files, key=lambda file: file.filename)),
                )
            )
    return found


def _pylock(choices: list[Choice]) -> str:
    return write_pylock(
        choices,
        python="3.11",
        simple=f"{BASE}/simple/",
        address=lambda file: f"{BASE}/files/{file.project}/{file.sha256}/{file.filename}",
    )


def _never(path: str) -> bytes:
    raise AssertionError(path)


@given(_choices(), st.randoms())
@pytest.mark.parametrize("name", ["requirements.txt", "pylock.toml"])
def test_what_is_read_back_is_what_was_chosen(
    name: str, choices: list[Choice], chance: random.Random
) -> None:
    write = write_requirements if name == "requirements.txt" else _pylock
    text = write(choices)
    shuffled = list(choices)
    chance.shuffle(shuffled)
    assert write(shuffled) == text
    lock = read_lock(name, lambda _: text.encode())
    assert not lock.warnings
    told = {
        (entry.project, entry.version): (
            {file.sha256 for file in entry.files},
            entry.marker.replace('"', "'"),
        )
        for entry in lock.entries
    }
    assert told == {
        (one.project, one.version): ({file.sha256 for file in one.files}, one.marker) for one in choices
    }
    pins = [(entry.project, Version(entry.version or "")) for entry in lock.entries]
    assert pins == sorted(pins)


def test_pylock_leads_to_the_keep() -> None:
    file = made.file("lib-1.0-py3-none-any.whl", sha256="ab" * 32)
    [entry] = read_lock(
        "pylock.toml",
        lambda _: _pylock([Choice(project=ProjectName("lib"), version="1.0", files=(file,))]).encode(),
    ).entries
    assert entry.source == f"{BASE}/simple/"
    assert entry.files[0].url == f"{BASE}/files/lib/{'ab' * 32}/lib-1.0-py3-none-any.whl"


def test_why_something_is_there_is_written_beside_it() -> None:
    file = made.file("lib-1.0-py3-none-any.whl", sha256="ab" * 32)
    via = (ProjectName("app"), ProjectName("zed"))
    one = Choice(project=ProjectName("lib"), version="1.0", marker="os_name == 'nt'", via=via, files=(file,))
    assert write_requirements([one], head=["ours"]) == (
        f"# ours\nlib==1.0 ; os_name == 'nt' \\\n    --hash=sha256:{'ab' * 32}\n    # via app, zed\n"
    )


@pytest.mark.parametrize(
    "marker", ["os_name == 'nt'\n--index-url x", r"os_name == '\n--index-url x'", "nonsense", "("]
)
def test_what_is_no_marker_becomes_no_line(marker: str) -> None:
    file = made.file("lib-1.0-py3-none-any.whl", sha256="ab" * 32)
    one = Choice(project=ProjectName("lib"), version="1.0", marker=marker, files=(file,))
    assert write_requirements([one]) == f"lib==1.0 \\\n    --hash=sha256:{'ab' * 32}\n"


def test_a_python_version_that_no_specifier_is_does_not_end_a_lock() -> None:
    file = made.file("lib-1.0-py3-none-any.whl", sha256="ab" * 32, requires_python=">=3.6.*")
    [entry] = read_lock(
        "pylock.toml",
        lambda _: _pylock([Choice(project=ProjectName("lib"), version="1.0", files=(file,))]).encode(),
    ).entries
    assert entry.version == "1.0"
