"""Scopes are held against what the configuration has."""

import re
from pathlib import Path

import pytest

from wheelkeep.core.access import read_scope
from wheelkeep.core.known_scopes import read_known_scope
from wheelkeep.core.read_settings import default_settings


def test_scopes_of_what_is_there() -> None:
    settings = default_settings(base=Path(), pypi_url="https://index.example/simple/")
    for text in ("read:main", "publish:local:acme-*", "approve", "admin"):
        assert read_known_scope(text, settings) == read_scope(text)
    for text, says in (
        ("read:mian", 'read:mian: there is no index "mian": did you mean "main"?'),
        ("publish:pypi", '"pypi" takes no uploads'),
        ("publish:locl", 'there is no source "locl": did you mean "local"?'),
        ("red:main", "begins with a word that is none"),
    ):
        with pytest.raises(ValueError, match=re.escape(says)):
            read_known_scope(text, settings)
