"""How often every stored byte is read again."""

from datetime import timedelta
from pathlib import Path

import pytest

from wheelkeep.core.errors import ConfigError
from wheelkeep.core.read_settings import read_settings
from wheelkeep.core.settings import ScrubSettings


def read(text: str) -> ScrubSettings:
    settings = read_settings(
        text,
        file="w.toml",
        base=Path("/etc/wk"),
        secret=lambda _: "",
        pypi_url="https://upstream.example/simple/",
    )
    return settings.scrub


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("", ScrubSettings()),
        ("[scrub]", ScrubSettings()),
        ('[scrub]\nevery = "30d"', ScrubSettings(every=timedelta(days=30))),
        ('[scrub]\nevery = "off"', ScrubSettings(every=None)),
        ('[scrub]\nrate = "1MB"', ScrubSettings(rate=1_000_000)),
    ],
)
def test_what_is_written(text: str, settings: ScrubSettings) -> None:
    assert read(text) == settings


@pytest.mark.parametrize(
    "text", ['every = "often"', 'every = "0d"', 'rate = "fast"', "evry = 1", "every = 7"]
)
def test_mistakes(text: str) -> None:
    with pytest.raises(ConfigError, match=r"w\.toml:2: scrub"):
        read(f"[scrub]\n{text}")
