"""Requirements files as a resolver's starting point: with includes and constraints, and every mistake at its line."""

import pytest

from wheelkeep.core.errors import ConfigError
from wheelkeep.core.requirement_files import read_wanted

FILES = {
    "in.txt": "# ours\nDjango >=5, <6 ; python_version > '3.10'\nuvicorn[standard]\n-r sub/more.txt\n-c bounds.txt\n",
    "sub/more.txt": "requests\n--index-url https://elsewhere.example/simple\n-r ../in.txt\n",
    "bounds.txt": "urllib3<2\n-r sub/more.txt\n",
    "bad.txt": "-e .\nlib @ https://x.example/lib.whl\nlib==1.0 --hash=sha256:00\n${NAME}\n!!\n--no-such x\n",
    "lost.txt": "-r nowhere.txt\n",
}


def read(path: str) -> bytes:
    try:
        return FILES[path].encode()
    except KeyError:
        raise FileNotFoundError(2, "No such file or directory") from None


def test_requirements_and_constraints_with_all_that_they_include() -> None:
    wanted = read_wanted(["in.txt"], read)
    assert wanted.requirements == (
        'Django<6,>=5; python_version > "3.10"',
        "uvicorn[standard]",
        "requests",
    )
    # What a file of constraints includes constrains too.
    assert wanted.constraints == ("urllib3<2", "requests", *wanted.requirements[:2])
    assert wanted.read == ("in.txt", "sub/more.txt", "bounds.txt")


def test_a_file_given_as_constraints_asks_for_nothing() -> None:
    wanted = read_wanted([], read, constraints=["sub/more.txt"])
    assert not wanted.requirements
    assert "requests" in wanted.constraints


def test_every_mistake_is_told_with_its_line() -> None:
    with pytest.raises(ConfigError) as caught:
        read_wanted(["bad.txt", "lost.txt", "none.txt"], read)
    assert [str(one).partition(" ")[0] for one in caught.value.mistakes] == [
        "bad.txt:1:",
        "bad.txt:2:",
        "bad.txt:3:",
        "bad.txt:4:",
        "bad.txt:5:",
        "bad.txt:6:",
        "lost.txt:1:",
        "-r:",
    ]
    said = str(caught.value)
    for words in (
        "is a folder",
        'write "lib"',
        "locked already",
        "write the name",
        "is not a requirement",
        "cannot be read",
    ):
        assert words in said
