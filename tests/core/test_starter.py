import re
from pathlib import Path

import pytest

from wheelkeep.core.errors import ConfigError
from wheelkeep.core.names import SourceName
from wheelkeep.core.read_policy import read_policy
from wheelkeep.core.read_settings import default_settings, read_settings
from wheelkeep.core.starter import starter_config, starter_policy

BASE = Path("/etc/wk")
PYPI = "https://upstream.example/simple/"
# A comment that holds a key or a header, as against one that holds words.
CHOICE = re.compile(r"^# (?=\[|[a-z_]+ +=)", re.MULTILINE)


def secret(reference: str) -> str:
    assert reference in ("env:VENDOR_TOKEN", "env:ALERT_SECRET")
    return "hunter2hunter2hunter2"


def test_the_configuration_is_the_default_with_a_policy() -> None:
    settings = read_settings(starter_config(), file="wheelkeep.toml", base=BASE, secret=secret, pypi_url=PYPI)
    default = default_settings(base=BASE, pypi_url=PYPI)
    assert settings.sources == default.sources
    assert settings.indexes.keys() == default.indexes.keys()
    assert settings.main is not None
    assert settings.main.policy == BASE / "policy.toml"
    assert settings.main.publish == "local"
    assert not settings.warnings


def test_the_policy_admits_what_was_first_seen() -> None:
    policy = read_policy(starter_policy(), file="policy.toml", sources={SourceName("pypi"): True})
    assert policy == read_policy("", file="policy.toml", sources={SourceName("pypi"): True})


def test_the_choices_can_be_taken() -> None:
    """Every line that is commented out is valid too, in its place."""
    config, policy = CHOICE.sub("", starter_config()), CHOICE.sub("", starter_policy())
    settings = read_settings(config, file="wheelkeep.toml", base=BASE, secret=secret, pypi_url=PYPI)
    assert list(settings.sources) == ["local", "pypi", "wheels", "vendor"]
    assert settings.workers == 2
    sources = dict.fromkeys(settings.sources, True)
    read = read_policy(policy, file="policy.toml", sources=sources)
    assert read.allow is not None
    assert read.deny is not None
    assert read.hashes.required
    assert len(read.waivers) == 1


def test_they_are_short() -> None:
    for text in (starter_config(), starter_policy()):
        assert len(text.splitlines()) < 60
        assert max(map(len, text.splitlines())) <= 120


def test_a_slip_in_them_is_told_with_its_line() -> None:
    text = starter_config().replace("[indexes.main]", "[indexes.main]\nmrege = 'strict'")
    with pytest.raises(ConfigError) as caught:
        read_settings(text, file="wheelkeep.toml", base=BASE, secret=secret, pypi_url=PYPI)
    line = text.splitlines().index("mrege = 'strict'") + 1
    says = 'indexes.main.mrege: is not a known key: did you mean "merge"?'
    assert str(caught.value) == f"wheelkeep.toml:{line}: {says}"
