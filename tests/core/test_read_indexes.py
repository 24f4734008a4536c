from pathlib import Path

import pytest

from wheelkeep.core.names import SourceName
from wheelkeep.core.read_indexes import read_indexes
from wheelkeep.core.settings import HostedSource, IndexSettings, Pin, RemoteSource, SourceSettings
from wheelkeep.core.surroundings import Surroundings
from wheelkeep.core.toml_source import Document

SOURCES: dict[SourceName, SourceSettings] = {
    SourceName("acme"): HostedSource(name=SourceName("acme")),
    SourceName("vendor"): RemoteSource(name=SourceName("vendor"), url="https://v.example/"),
    SourceName("wheels"): RemoteSource(name=SourceName("wheels"), url="https://w.example/"),
    SourceName("pypi"): RemoteSource(name=SourceName("pypi"), url="https://u.example/"),
}


def read(text: str) -> tuple[dict[str, IndexSettings], list[str], list[str]]:
    document = Document(text, file="w.toml")
    around = Surroundings(base=Path("/etc/wk"), secret=str, pypi_url="https://u.example/")
    table = document.root.table("indexes")
    assert table is not None
    indexes = read_indexes(table, SOURCES, around, {"workers": "belongs above"})
    mistakes = [str(mistake) for mistake in document.mistakes]
    return (
        {str(name): index for name, index in indexes.items()},
        mistakes,
        [str(w) for w in document.warnings],
    )


def test_every_key() -> None:
    indexes, mistakes, warnings = read(
        """
        [indexes.main]
        sources = ["acme", ["wheels", "vendor"], "pypi"]
        merge = "floor"
        policy = "policy.toml"
        publish = "acme"
        read = "token"
        withheld = "omit"
        [indexes.ml]
        sources = ["pypi"]
        """
    )
    assert not mistakes
    assert not warnings
    assert indexes["main"] == IndexSettings(
        name="main",
        sources=(("acme",), ("wheels", "vendor"), ("pypi",)),
        merge="floor",
        policy=Path("/etc/wk/policy.toml"),
        publish="acme",
        read="token",
        withheld="omit",
    )
    assert indexes["ml"] == IndexSettings(name="ml", sources=(("pypi",),))


def test_pins() -> None:
    indexes, mistakes, _ = read(
        """
        [indexes.main]
        sources = ["acme", "vendor", "pypi"]
        merge = "pinned"
        [[indexes.main.pin]]
        package = "numpy"
        source = "vendor"
        version = "1.26.*"
        priority = 990
        [[indexes.main.pin]]
        package = ["Torch_*", "jax"]
        version = "2.0"
        priority = -1
        [[indexes.main.pin]]
        source = "pypi"
        priority = 100
        [[indexes.main.pin]]
        package = "*"
        source = "acme"
        priority = 900
        """
    )
    assert not mistakes
    assert indexes["main"].pins == (
        Pin(packages=("numpy",), source="vendor", version="1.26.*", priority=990),
        Pin(packages=("torch-*", "jax"), version="2.0", priority=-1),
        Pin(source="pypi", priority=100),
        Pin(packages=("*",), source="acme", priority=900),
    )


def one(lines: str) -> str:
    _, (mistake,), _ = read(f"[indexes.main]\n{lines}")
    return mistake


OK = 'sources = ["pypi"]'


@pytest.mark.parametrize(
    ("lines", "line", "words"),
    [
        ("", 1, 'sources: is missing: write the sources from best to last, such as sources = ["acme", '),
        ("sources = []", 2, "sources: is empty"),
        ('sources = "pypi"', 2, "sources: must be a list"),
        ('sources = ["pypi", "vendro"]', 2, 'did you mean "vendor"?'),
        ('sources = [\n "pypi",\n "acme", "pypi"]', 4, 'sources[2]: names "pypi" twice'),
        ('sources = ["pypi", ["acme", "pypi"]]', 2, 'sources[1]: names "pypi" twice'),
        ('sources = ["pypi", []]', 2, "sources[1]: holds an empty group"),
        ('sources = ["pypi", [["acme"]]]', 2, "sources[1]: must hold names"),
        ('sources = ["pypi", 3]', 2, "sources[1]: must hold names"),
        (f'{OK}\nmerge = "flor"', 3, 'did you mean "floor"?'),
        (f'{OK}\nread = "all"', 3, "known here: anyone, token"),
        (f'{OK}\nwithheld = "yanked"', 3, 'did you mean "yank"?'),
        (f'{OK}\npublish = "acem"', 3, 'did you mean "acme"?'),
        (f'{OK}\npublish = "pypi"', 3, "takes no uploads, only a hosted source does: acme"),
        (f"{OK}\npolicy = 3", 3, "policy: must be text"),
        (f"{OK}\nworkers = 3", 3, "workers: belongs above"),
        (f"{OK}\nsource = 3", 3, 'did you mean "sources"?'),
    ],
)
def test_mistakes(lines: str, line: int, words: str) -> None:
    mistake = one(lines)
    assert mistake.startswith(f"w.toml:{line}: indexes.main.")
    assert words in mistake


@pytest.mark.parametrize(
    ("lines", "line", "words"),
    [
        ('package = "numpy"\npriority = 1', 4, "pin[0]: pins nothing: write a source, a version or both"),
        ('source = "pypi"', 4, "priority: is missing"),
        ('source = "pypi"\npriority = 0', 6, "priority: is 0"),
        ('source = "pypi"\npriority = 1.5', 6, "priority: must be a whole number"),
        ('source = "acme"\npriority = 1', 5, 'source: "acme" is not among the sources of this index'),
        ('source = "pipy"\npriority = 1', 5, 'did you mean "pypi"?'),
        ('version = "1.0"\npriority = 1', 5, "version: needs a package"),
        ('package = "*"\nversion = "1.0"\npriority = 1', 6, "version: needs a package"),
        ('package = "a"\nversion = ">=1.0"\npriority = 1', 6, "neither a version nor a prefix"),
        ('package = "a"\nversion = "1.x"\npriority = 1', 6, "neither a version nor a prefix"),
        ('package = "a"\nversion = " 1.0"\npriority = 1', 6, "spaces"),
        ('package = []\nsource = "pypi"\npriority = 1', 5, "package: is empty"),
        ('package = "a b"\nsource = "pypi"\npriority = 1', 5, "is not a name or glob"),
        ('source = "pypi"\npriority = 1\nprio = 1', 7, 'did you mean "priority"?'),
    ],
)
def test_mistakes_in_pins(lines: str, line: int, words: str) -> None:
    mistake = one(f'{OK}\nmerge = "pinned"\n[[indexes.main.pin]]\n{lines}')
    assert mistake.startswith(f"w.toml:{line}: indexes.main.pin")
    assert words in mistake


def test_pins_need_their_merge() -> None:
    mistake = one(f'{OK}\n[[indexes.main.pin]]\nsource = "pypi"\npriority = 1')
    assert mistake.startswith('w.toml:3: indexes.main.pin: does nothing while merge = "strict"')


@pytest.mark.parametrize(("name", "words"), [("simple", "is not free"), ("Main", "is not an index name")])
def test_names(name: str, words: str) -> None:
    indexes, (mistake,), _ = read(f"[indexes.{name}]\n{OK}")
    assert list(indexes) == [name]
    assert words in mistake


def test_a_blend_is_warned_of() -> None:
    _, mistakes, (warning,) = read(f'[indexes.main]\n{OK}\nmerge = "unsafe-blend"')
    assert not mistakes
    assert warning.startswith("w.toml:3: indexes.main.merge: ")


def test_uploads_that_the_index_does_not_show_are_warned_of() -> None:
    indexes, mistakes, (warning,) = read('[indexes.main]\nsources = ["pypi"]\npublish = "acme"')
    assert not mistakes
    assert indexes["main"].publish == "acme"
    assert warning.startswith("w.toml:3: indexes.main.publish: ")
