from datetime import timedelta
from pathlib import Path

import pytest

from wheelkeep.core.read_sources import read_sources
from wheelkeep.core.settings import DirectorySource, HostedSource, Offer, RemoteSource, SourceSettings
from wheelkeep.core.surroundings import Surroundings
from wheelkeep.core.toml_source import Document


def read(text: str) -> tuple[dict[str, SourceSettings], list[str], list[str]]:
    document = Document(text, file="w.toml")
    around = Surroundings(
        base=Path("/etc/wk"),
        secret={"env:VENDOR_TOKEN": "hunter2"}.__getitem__,
        pypi_url="https://upstream.example/simple",
    )
    table = document.root.table("sources")
    assert table is not None
    sources = read_sources(table, around, {"workers": "belongs above"})
    mistakes = [str(mistake) for mistake in document.mistakes]
    return (
        {str(name): source for name, source in sources.items()},
        mistakes,
        [str(w) for w in document.warnings],
    )


def test_every_kind() -> None:
    sources, mistakes, warnings = read(
        """
        [sources.acme]
        kind = "hosted"
        names = ["acme-*", "Acme_Lib"]
        [sources.wheels]
        kind = "directory"
        path = "wheelhouse"
        exclude = ["acme*"]
        [sources.vendor]
        kind = "remote"
        url = "https://pypi.vendor.example/simple"
        username = "build"
        password = "env:VENDOR_TOKEN"
        files = ["https://files.vendor.example", "HTTPS://cdn.example:8443"]
        fresh = "1s"
        include = ["numpy", "torch<2", "lib-*"]
        [sources.pypi]
        kind = "remote"
        url = "pypi"
        include = []
        """
    )
    assert not mistakes
    assert not warnings
    assert list(sources) == ["acme", "wheels", "vendor", "pypi"]
    assert sources["acme"] == HostedSource(name="acme", names=("acme-*", "acme-lib"))
    assert sources["wheels"] == DirectorySource(
        name="wheels", path=Path("/etc/wk/wheelhouse"), offer=Offer(exclude=("acme*",))
    )
    vendor = sources["vendor"]
    assert isinstance(vendor, RemoteSource)
    assert vendor.url == "https://pypi.vendor.example/simple/"
    assert vendor.username == "build"
    assert vendor.password is not None
    assert vendor.password.reveal() == "hunter2"
    assert vendor.files == ("https://files.vendor.example", "https://cdn.example:8443")
    assert vendor.fresh == timedelta(seconds=1)
    assert vendor.offer == Offer(include=("numpy", "torch<2", "lib-*"))
    assert sources["pypi"] == RemoteSource(
        name="pypi", url="https://upstream.example/simple/", offer=Offer(include=())
    )


def one(kind: str, line: str) -> list[str]:
    _, mistakes, _ = read(f"[sources.a]\n{kind}\n{line}")
    return [mistake.removeprefix("w.toml:").removeprefix("3: sources.a.") for mistake in mistakes]


REMOTE = 'kind = "remote"'
URL = 'url = "https://x.example/simple/"'


@pytest.mark.parametrize(
    ("kind", "line", "words"),
    [
        (
            'kind = "hosted"',
            'path = "x"',
            'path: is a key of a directory source, and this one is kind = "hosted"',
        ),
        ('kind = "hosted"', 'url = "x"', 'url: is a key of a remote source, and this one is kind = "hosted"'),
        ('kind = "hosted"', "workers = 1", "workers: belongs above"),
        ('kind = "hosted"', "nmaes = []", 'nmaes: is not a known key: did you mean "names"?'),
        ('kind = "hosted"', 'names = ["a/b"]', 'names[0]: "a/b" is not a name or glob'),
        ('kind = "hosted"', 'names = "a"', 'names: must be a list: write ["a"]'),
        ('kind = "hosted"', 'include = ["x[y]"]', "include[0]: "),
        ('kind = "hosted"', 'exclude = ["x;y"]', "exclude[0]: "),
        ('kind = "directory"\npath = "w"', 'fresh = "1s"', "is a key of a remote source"),
        ('kind = "directory"', "", "1: sources.a.path: is missing"),
        (REMOTE, "", "1: sources.a.url: is missing"),
        (f"{REMOTE}\n{URL}", 'path = "w"', "is a key of a directory source"),
        (f"{REMOTE}\n{URL}", 'fresh = "0s"', "must be more than zero"),
        (f"{REMOTE}\n{URL}", "fresh = 10", 'write "10s"'),
        (f"{REMOTE}\n{URL}", 'files = ["https://x.example/files"]', "must be an origin"),
        (f"{REMOTE}\n{URL}", 'username = "a:b"', "must not hold a colon"),
        (f"{REMOTE}\n{URL}", 'password = "env:GONE"', "GONE is not set"),
        (REMOTE, 'url = "https://build:hunter2@x.example/"', "put them into username and password"),
        (REMOTE, 'url = "PYPI"', "must be an absolute URL"),
        (REMOTE, "url = 3", "must be text"),
    ],
)
def test_mistakes(kind: str, line: str, words: str) -> None:
    (mistake,) = one(kind, line)
    assert words in mistake
    assert "hunter2" not in mistake


def test_without_a_kind_the_other_keys_are_not_judged() -> None:
    assert one("", 'url = "x"') == [
        '1: sources.a.kind: is missing: write kind = "hosted", "directory" or "remote"'
    ]
    assert one('kind = "remot"', 'url = "x"') == [
        '2: sources.a.kind: "remot" is not a word it knows: did you mean "remote"?'
    ]


def test_a_source_with_a_bad_name_is_still_known() -> None:
    sources, mistakes, _ = read('[sources.Bad_Name]\nkind = "hosted"')
    assert list(sources) == ["Bad_Name"]
    assert len(mistakes) == 1
    assert "is not a source name" in mistakes[0]


def test_a_source_must_be_a_table() -> None:
    sources, mistakes, _ = read('[sources]\na = "hosted"')
    assert not sources
    assert "write [sources.a]" in mistakes[0]


def test_a_name_is_reserved_once() -> None:
    _, mistakes, _ = read(
        """[sources.a]
kind = "hosted"
names = ["acme-*", "acme-*"]
[sources.b]
kind = "hosted"
names = ["x", "Acme_*", "acme-core"]"""
    )
    says = '"acme-*" is already reserved for the source "a": a name belongs to one source'
    assert mistakes == [f"w.toml:6: sources.b.names[1]: {says}"]


def test_what_is_unwise() -> None:
    _, mistakes, warnings = read(
        """[sources.a]
kind = "remote"
url = "http://x.example/simple/"
password = "hunter2"
files = ["http://y.example"]
[sources.b]
kind = "remote"
url = "http://127.0.0.1:3141/simple/"
files = ["http://localhost:99"]"""
    )
    assert not mistakes
    assert [warning.split(": ")[:2] for warning in warnings] == [
        ["w.toml:3", "sources.a.url"],
        ["w.toml:5", "sources.a.files"],
        ["w.toml:4", "sources.a.password"],
    ]
    assert "hunter2" not in "".join(warnings)
