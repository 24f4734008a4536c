from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelkeep.core.errors import ConfigError
from wheelkeep.core.toml_source import Document, Table, dotted


def table(text: str) -> Table:
    return Document(text, file="x.toml").root


def told(of: Table) -> list[str]:
    return [str(mistake) for mistake in of.document.mistakes]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a = 1\nb = \n", "x.toml:2", "Invalid value (column 5)"),
        ("[a\n", "x.toml:1", "Expected"),
        ("a = 1\n\na = 2\n", "x.toml:3", "overwrite"),
        ('a = 1\nb = """\n\n', "x.toml:3", "the text ends too early"),
        ("a = " + "[" * 100_000, "x.toml", "nested"),
        ("a = " + "1" * 5000, "x.toml", "not TOML"),
    ],
)
def test_what_is_not_toml(text: str, place: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Document(text, file="x.toml")
    assert str(caught.value).startswith(f"{place}: ")
    assert words in str(caught.value)


@given(st.text(st.sampled_from("ab=.\"'[]{}#,\n 1\\"), max_size=40))
def test_any_text_is_a_document_or_one_mistake(text: str) -> None:
    try:
        assert Document(text, file="x").root.keys is not None
    except ConfigError as error:
        assert len(error.mistakes) == 1


def test_a_byte_order_mark_is_passed_over() -> None:
    assert table("\ufeffa = 'x'").text("a") == "x"


def test_right_values() -> None:
    root = table(
        """
        text = "x"
        flag = true
        number = 3
        texts = ["a", "b"]
        alone = "a"
        word = "two"
        fresh = "1h30m"
        size = "1KiB"
        day = 2026-12-31
        written_day = "2026-12-31"
        mixed = ["a", ["b"]]
        [inner]
        x = "y"
        [[many]]
        n = 1
        [[many]]
        n = 2
        """
    )
    assert root.text("text") == "x"
    assert root.flag("flag", default=False) is True
    assert root.integer("number", least=1, most=3) == 3
    assert root.texts("texts") == ("a", "b")
    assert root.texts("alone", alone=True) == ("a",)
    assert root.choice("word", ("one", "two"), default="one") == "two"
    assert root.duration("fresh") == timedelta(minutes=90)
    assert root.size("size") == 1024
    assert root.day("day") == root.day("written_day") == date(2026, 12, 31)
    assert root.elements("mixed") == ["a", ["b"]]
    inner = root.table("inner")
    assert inner is not None
    assert inner.text("x") == "y"
    assert [each.integer("n") for each in root.tables("many")] == [1, 2]
    root.done()
    inner.done()
    root.document.settle()


def test_absent_values() -> None:
    root = table("")
    assert root.text("a") is root.integer("a") is root.texts("a") is root.elements("a") is None
    assert root.duration("a") is root.size("a") is root.day("a") is root.table("a") is None
    assert root.flag("a", default=True) is True
    assert root.choice("a", ("x", "y"), default="y") == "y"
    assert root.tables("a") == ()
    assert not told(root)


WRONG = [
    ("text", "a = 1", "must be text in quotes, not a number"),
    ("text", "a = true", "not true or false"),
    ("text", "a = 1.5", "not a number with a point"),
    ("text", "a = 2026-01-01T00:00:00Z", "not a date with a time"),
    ("text", "a = 07:00:00", "not a time of day"),
    ("text", "a = ['x']", "not a list"),
    ("text", "a = {}", "not a table"),
    ("text", "a = '  '", "is empty"),
    ("integer", "a = true", "whole number"),
    ("integer", "a = '1'", "whole number, without quotes, not text"),
    ("integer", "a = 1.0", "whole number"),
    ("texts", "a = 'x'", 'must be a list: write ["x"]'),
    ("texts", "a = [1]", "must hold texts in quotes, not a number"),
    ("texts", "a = ['']", "empty text"),
    ("duration", "a = 10", 'write "10s"'),
    ("duration", "a = true", "must be text"),
    ("duration", "a = '10'", "is not a time"),
    ("size", "a = 10", 'write "10B"'),
    ("size", "a = '10'", "is not a size"),
    ("day", "a = 1", "must be a date such as 2026-12-31, not a number"),
    ("day", "a = 2026-01-01T00:00:00Z", "not a date with a time"),
    ("day", "a = '2026-W01-1'", "is not a date"),
    ("day", "a = '2026-02-30'", "is not a date"),
    ("table", "a = 1", "must be a table: write [a]"),
    ("tables", "[a]", "write [[a]] with two brackets"),
    ("tables", "a = 1", "write [[a]] above each"),
    ("tables", "a = [1]", "must hold tables"),
    ("elements", "a = 1", "must be a list"),
]


@pytest.mark.parametrize(("method", "text", "words"), WRONG)
def test_wrong_values(method: str, text: str, words: str) -> None:
    root = table(f"\n{text}")
    assert not getattr(root, method)("a")
    (mistake,) = root.document.mistakes
    assert mistake.line == 2
    assert mistake.key.startswith("a")
    assert words in mistake.says
    root.done()
    assert len(root.document.mistakes) == 1


def test_wrong_flag_choice_and_bound() -> None:
    root = table("a = 1\nb = 'tow'\nc = 9")
    assert root.flag("a", default=True) is True
    assert root.choice("b", ("one", "two"), default="one") == "one"
    assert root.integer("c", least=1, most=3) is None
    assert told(root) == [
        "x.toml:1: a: must be true or false, without quotes, not a number",
        'x.toml:2: b: "tow" is not a word it knows: did you mean "two"?',
        "x.toml:3: c: is 9: it must be from 1 to 3",
    ]


def test_an_element_has_its_own_line() -> None:
    root = table('a = [\n  "x",\n  3,\n]')
    assert root.texts("a") == ("x",)
    assert told(root) == ["x.toml:3: a[1]: must hold texts in quotes, not a number"]


def test_unknown_keys() -> None:
    root = table("frsh = 1\nzzzz = 2\nurl = 3\nfresh = '1s'")
    root.duration("fresh")
    root.done({"url": "belongs elsewhere"})
    assert told(root) == [
        'x.toml:1: frsh: is not a known key: did you mean "fresh"?',
        "x.toml:2: zzzz: is not a known key: known here: fresh",
        "x.toml:3: url: belongs elsewhere",
    ]


def test_a_missing_key_has_the_line_of_its_table() -> None:
    root = table("\n[a]\n[a.b]\nx = 1")
    (_, inner), *_ = root.entries()
    inner.need("kind", "write one")
    assert told(root) == ["x.toml:2: a.kind: is missing: write one"]


def test_entries_need_tables() -> None:
    root = table("a = 1\n[b]\n")
    assert [name for name, _ in root.entries()] == ["b"]
    assert told(root) == ["x.toml:1: a: must be a table: write [a] above its keys, not a number"]


def test_settling_tells_everything_in_the_order_of_the_text() -> None:
    root = table("a = 1\nb = 2")
    root.text("b")
    root.text("a")
    with pytest.raises(ConfigError) as caught:
        root.document.settle()
    assert [mistake.line for mistake in caught.value.mistakes] == [1, 2]


def test_dotted() -> None:
    assert dotted(("indexes", "main", "pin", 0, "priority")) == "indexes.main.pin[0].priority"
    assert dotted(("sources", "a b")) == 'sources."a b"'
    assert dotted(()) == ""
