"""Descriptions become HTML in a process of their own."""

import pytest

from wheelkeep.web.readme import LONGEST, Readmes


@pytest.mark.parametrize(
    ("text", "kind", "shown"),
    [
        ("**a**", "text/markdown", "<strong>a</strong>"),
        ("| a |\n|---|\n| b |", "text/markdown; variant=GFM", "<table>"),
        ("**a**", "text/markdown; charset=UTF-8; variant=CommonMark", "<strong>a</strong>"),
        ("**a**", "text/x-rst", "<strong>a</strong>"),
        ("**a**", None, "<strong>a</strong>"),
        ("\ud7ff **ä**", "text/markdown", "<strong>ä</strong>"),
    ],
)
async def test_by_its_own_type(text: str, kind: str | None, shown: str) -> None:
    assert shown in (await Readmes().html(text, kind) or "")


@pytest.mark.parametrize(
    "kind", ["text/plain", "text/html", "", "junk", "text/markdown\r\nx: y", "a/b; c" * 1000]
)
async def test_other_types_are_the_text_that_they_are(kind: str) -> None:
    text = "<script>alert(1)</script>"
    html = await Readmes().html(text, kind)
    assert html is None or "<script" not in html


async def test_what_is_too_long_or_broken_is_not_rendered() -> None:
    readmes = Readmes()
    assert await readmes.html("x" * (LONGEST + 1), "text/markdown") is None
    assert await readmes.html("Title\n=\n\n.. raw:: html\n\n   <b>\n", "text/x-rst") is None
