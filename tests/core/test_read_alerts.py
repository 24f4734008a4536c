"""The ``[alerts]`` table: what is refused, what is warned of; and the address never shows."""

from pathlib import Path

import pytest

from wheelkeep.core.errors import ConfigError
from wheelkeep.core.read_settings import read_settings
from wheelkeep.core.settings import Settings

HOOK = "https://alerts.acme.example/hooks/hunter2?of=keep"


def read(table: str, **secrets: str) -> Settings:
    return read_settings(
        f"[alerts]\n{table}\n",
        file="wheelkeep.toml",
        base=Path("/etc"),
        secret=lambda reference: secrets[reference.removeprefix("env:")],
        pypi_url="https://index.example/simple/",
    )


def test_the_address_and_the_secret() -> None:
    settings = read(f'webhook = "{HOOK}"\nsecret = "env:KEY"', KEY="0123456789abcdef")
    assert settings.alerts is not None
    assert settings.alerts.webhook.reveal() == HOOK
    assert settings.alerts.secret is not None
    assert settings.alerts.secret.reveal() == "0123456789abcdef"
    assert "hunter2" not in repr(settings)
    assert settings.warnings == ()
    assert read("webhook = 'env:HOOK'", HOOK=HOOK).alerts is not None
    assert (
        read_settings("", file="w.toml", base=Path("/"), secret=str, pypi_url="https://i.example/").alerts
        is None
    )


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("", "alerts.webhook: is missing: write where alerts are posted to"),
        ("webhook = 'ftp://hunter2.example/'", "must begin with https:// or http://"),
        ("webhook = 'https://u:hunter2@acme.example/'", "must not hold credentials"),
        ("webhook = 'https://acme.example/#hunter2'", "without '#'"),
        ("webhook = 'https://acme.example/?of= hunter2'", "must be an absolute URL in plain ASCII"),
        ("webhook = 'env:HOOK'", "the environment variable HOOK is not set"),
        (f"webhook = '{HOOK}'\nsecrets = 'x'", "is not a known key: did you mean"),
        (f"webhook = '{HOOK}'\nworkers = 2", "write it above the first [table]"),
    ],
)
def test_mistakes(table: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(table)
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("webhook = 'http://alerts.acme.example/'", "alerts.webhook: is plain http"),
        (
            f"webhook = '{HOOK}'\nsecret = 'hunter2hunter2hunter2'",
            "alerts.secret: is written in the file itself",
        ),
        (f"webhook = '{HOOK}'\nsecret = 'env:KEY'", "alerts.secret: is short enough to be guessed"),
    ],
)
def test_what_is_unwise(table: str, says: str) -> None:
    (warning,) = read(table, KEY="hunter2").warnings
    assert says in warning
    assert "hunter2" not in warning
    assert read("webhook = 'http://127.0.0.1:9/'").warnings == ()
