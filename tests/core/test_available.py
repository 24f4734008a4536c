"""What this version does not have is refused. An entry that goes from ``available`` goes from here."""

from pathlib import Path

import pytest

from wheelkeep.core.errors import ConfigError
from wheelkeep.core.names import SourceName
from wheelkeep.core.policy import build
from wheelkeep.core.policy_file import GATES
from wheelkeep.core.read_policy import read_policy
from wheelkeep.core.read_settings import read_settings


def settings_mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_settings(text, file="w.toml", base=Path("/x"), secret=str, pypi_url="https://u.example/")
    return [str(mistake) for mistake in caught.value.mistakes]


def policy_mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_policy(text, file="p.toml", sources={SourceName("pypi"): True})
    return [str(mistake) for mistake in caught.value.mistakes]


INDEX = '[indexes.main]\nsources = ["local", "pypi"]\n'


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (
            'database = "postgresql://keep:hunter2@db/keep"',
            'w.toml:1: database: a PostgreSQL database is not in this version: use "sqlite"',
        ),
        (
            'store = "s3://bucket/prefix"',
            'w.toml:1: store: a store in S3 is not in this version: use "local"',
        ),
    ],
)
def test_settings(text: str, mistake: str) -> None:
    assert settings_mistakes(text) == [mistake]


PIN = '[[indexes.main.pin]]\nsource = "pypi"\npriority = 1\n'


@pytest.mark.parametrize(
    ("merge", "more", "warnings"),
    [("strict", "", 0), ("floor", "", 0), ("pinned", PIN, 0), ("unsafe-blend", "", 1)],
)
def test_every_way_of_merging_is_there(merge: str, more: str, warnings: int) -> None:
    """And the one that promises nothing is warned of: ``check`` prints the warnings, ``serve`` logs them."""
    text = f'{INDEX}merge = "{merge}"\n{more}'
    settings = read_settings(text, file="w.toml", base=Path("/x"), secret=str, pypi_url="https://u.example/")
    assert settings.main is not None
    assert (settings.main.merge, len(settings.main.pins)) == (merge, 1 if more else 0)
    assert len(settings.warnings) == warnings
    assert all(warning.startswith("w.toml:3: indexes.main.merge: mixes") for warning in settings.warnings)


def test_other_mistakes_come_first() -> None:
    assert len(settings_mistakes(f'store = "s3://bucket/prefix"\n{INDEX}withheld = "nobody"')) == 1
    assert len(policy_mistakes('[cooldown]\nage = "7d"\n[deny]\nhashes = ["x"]')) == 1


def test_the_words_for_experiments() -> None:
    """One that is there is taken in silence; one that is not switches nothing on, and that is said."""
    told = read_settings(
        f'experimental = ["upload-2.0", "upload-3.0"]\n{INDEX}',
        file="w.toml",
        base=Path("/x"),
        secret=str,
        pypi_url="https://u.example/",
    )
    (warning,) = [says for says in told.warnings if "experiment" in says]
    assert "upload-3.0" in warning


def test_every_gate_is_there() -> None:
    needs = {
        "cooldown": 'age = "7d"\nfixes = true\n',
        "advisories": 'severity = "high"\n',
        "licences": 'allow = ["MIT"]\n',
    }
    text = "".join(f"[{gate}]\n{needs.get(gate, '')}" for gate in GATES)
    policy = read_policy(text, file="p.toml", sources={SourceName("pypi"): True})
    assert {gate.name for gate in build(policy, remote=frozenset()).gates} == set(GATES)
