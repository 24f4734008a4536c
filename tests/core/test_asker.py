"""Who asked: the tool is one bounded word that can be printed."""

import pytest

from wheelkeep.core.asker import Asker, read_tool


@pytest.mark.parametrize(
    ("agent", "tool"),
    [
        ('pip/25.0 {"ci":null}', "pip/25.0"),
        ("uv/0.9.1 {}", "uv/0.9.1"),
        ("  curl/8", "curl/8"),
        ("", ""),
        (None, ""),
        ("a\tb\x1b[31m c", "ab[31m"),
        ("Möbel/1", "Mbel/1"),
        ("x" * 500, "x" * 60),
    ],
)
def test_a_tool_is_the_first_word_of_what_it_says(agent: str | None, tool: str) -> None:
    assert read_tool(agent) == tool


def test_where_it_asked_from_stands_beside_the_name() -> None:
    assert Asker("ci", "10.0.0.1", "pip/25").origin == {"from": "10.0.0.1", "tool": "pip/25"}
