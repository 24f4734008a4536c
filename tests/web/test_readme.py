"""Descriptions become HTML in a process of their own."""

import asyncio
import re
from pathlib import Path

import pytest

from wheelkeep.web import readme
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


async def test_a_short_text_that_makes_a_long_page_is_not_rendered() -> None:
    grows = "[^a]: x\n\n" + "[^a]" * 12_000
    assert len(grows) < LONGEST and await Readmes().html(grows, "text/markdown") is None


async def test_many_readers_of_one_text_do_not_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """A description that takes all the time there is takes it once or twice, not once for every reader."""
    made: list[str] = []

    async def slowly(text: str, kind: str) -> str | None:
        made.append(kind)
        await asyncio.sleep(0.01)
        return None

    monkeypatch.setattr(readme, "_rendered", slowly)
    readmes = Readmes()
    await asyncio.gather(*(readmes.html("wild", "text/markdown") for _ in range(20)))
    assert len(made) <= 2


SECRET = "not for readers"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (".. include:: {path}", "text/x-rst"),
        (".. literalinclude:: {path}", "text/x-rst"),
        (".. raw:: html\n   :file: {path}", "text/x-rst"),
        (".. csv-table:: a\n   :file: {path}", "text/x-rst"),
        (".. figure:: {path}", "text/x-rst"),
        (".. image:: file://{path}", "text/x-rst"),
        ("![x](file://{path}) <object data='file://{path}'></object>", "text/markdown"),
        ("<script src='{path}'>1</script><img src=x onerror='alert(1)'>", "text/markdown"),
        ("<style>*{{}}</style><link rel=stylesheet href=x><base href='//evil'>", "text/markdown"),
        ("<form action=x><input></form><meta http-equiv=refresh content=0>", "text/markdown"),
        ("[x](javascript:alert(1)) [y](JaVaScRiPt&#58;alert(1)) [z](data:text/html,x)", "text/markdown"),
        ("`x <javascript:alert(1)>`_ `y <data:text/html,x>`_", "text/x-rst"),
        ("<svg onload=alert(1)><math><mtext><style><img src=x onerror=alert(1)>", "text/markdown"),
    ],
)
async def test_no_description_reads_a_file_or_makes_mark_up_of_its_own(
    tmp_path: Path, text: str, kind: str
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    html = await Readmes().html(text.format(path=secret), kind) or ""
    assert SECRET not in html
    tags = [re.findall(r"[a-z0-9]+", tag.lower()) for tag in re.findall(r"<[^>]*>", html)]
    # Whole words of what a browser would take for a tag: escaped text is only text.
    harm = {"script", "style", "link", "base", "form", "meta", "object", "svg", "onerror", "onload"}
    assert not [tag for tag in tags if harm & set(tag)], html
    assert not re.search(r"(?:href|src)=[\"']?\s*(?:javascript|data):", html, re.IGNORECASE), html
