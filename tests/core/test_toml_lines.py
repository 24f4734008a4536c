import json
import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from wheelkeep.core.toml_lines import KeyPath, array_spans, key_lines

# Three tildes stand for three single quotes, which would end this text.
TORTURE = r'''# a comment = 1
title = "not # a comment"
"quoted \"key\"" = 'lit'
'literal key'.inner = 1979-05-27 07:32:00
multi = """
[not.a.table]
key = 1 \""" still
"""""
raw = """~~~[x]"""
raw2 = ~~~
[neither] \~~~''
list = [
  "a", # [
  ["b", "]"],

  { x = 1, y = [
     2 ] },
]

[a.b]
c = 1
[a]
d.e.f = {g = 1, "h i" = {j = true}}
d.e.k = -1.5e3

[[ w . x ]]
n = 1
[w.x.sub]
m = 1

[[w.x]]
n = 2

[[w.x.deep]]
o = 1
[[w.x.deep]]
o = 2
'''.replace("~~~", "'" * 3)


def test_every_kind_of_key() -> None:
    tomllib.loads(TORTURE)
    lines = key_lines(TORTURE)
    expected: dict[KeyPath, int] = {
        ("title",): 2,
        ('quoted "key"',): 3,
        ("literal key", "inner"): 4,
        ("multi",): 5,
        ("raw",): 9,
        ("raw2",): 10,
        ("list",): 12,
        ("list", 0): 13,
        ("list", 1): 14,
        ("list", 1, 1): 14,
        ("list", 2, "y"): 16,
        ("list", 2, "y", 0): 17,
        ("a",): 22,
        ("a", "b"): 20,
        ("a", "b", "c"): 21,
        ("a", "d", "e", "f", "h i", "j"): 23,
        ("a", "d", "e", "k"): 24,
        ("w", "x"): 26,
        ("w", "x", 0): 26,
        ("w", "x", 0, "sub", "m"): 29,
        ("w", "x", 1, "n"): 32,
        ("w", "x", 1, "deep", 0, "o"): 35,
        ("w", "x", 1, "deep", 1): 36,
        ("w", "x", 1, "deep", 1, "o"): 37,
    }
    assert {path: lines.get(path) for path in expected} == expected


def test_lines_that_end_as_on_windows() -> None:
    text = 'a = 1\r\nb = """\r\n\r\n"""\r\n[c]\r\nd = 1\r\n'
    assert key_lines(text) == {("a",): 1, ("b",): 2, ("c",): 5, ("c", "d"): 6}


def test_what_is_not_toml_keeps_the_lines_so_far() -> None:
    assert key_lines("a = 1\nb\nc = 2") == {("a",): 1, ("b",): 2}
    assert key_lines("a = 1\n= 2") == {("a",): 1}
    assert key_lines("a =") == {("a",): 1}


def test_deep_nesting_does_not_break_it() -> None:
    assert key_lines(f"a = 1\nb = {'[' * 100_000}")[("a",)] == 1


KEYS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=6)
TEXTS = st.text(st.sampled_from("ab\"'\\#[]{}=,\n\t "), max_size=8)
SCALARS = st.one_of(st.integers(-9, 9), st.booleans(), TEXTS)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
)


def written(value: Any) -> str:
    """A value in TOML; an array takes several lines."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        if "\n" in value and "'''" not in value and not value.endswith("'"):
            return f"'''\n{value}'''"
        return json.dumps(value, ensure_ascii=True)
    if isinstance(value, list):
        return "[" + "".join(f"\n {written(each)}, # ]" for each in value) + "\n]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key_of(key)} = {written(each)}" for key, each in value.items()) + "}"
    return str(value)


def key_of(key: str) -> str:
    # JSON writes letters beyond the first plane as two surrogates, which TOML refuses.
    return '"' + "".join(f"\\U{ord(letter):08x}" for letter in key) + '"'


def paths(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {found for key, each in inner for found in {(*path, key), *paths(each, (*path, key))}}


@given(st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=3), max_size=4))
def test_every_key_has_the_line_on_which_it_was_written(data: dict[str, dict[str, Any]]) -> None:
    text = "# start\n"
    expected: dict[KeyPath, int] = {}
    for name, table in data.items():
        expected[name,] = text.count("\n") + 1
        text += f"[ {key_of(name)} ] # header\n"
        for key, value in table.items():
            expected[name, key] = text.count("\n") + 1
            text += f"{key_of(key)} = {written(value)}\n"
    read = tomllib.loads(text)
    lines = key_lines(text)
    assert set(lines) == paths(read)
    assert expected.items() <= lines.items()


def test_where_arrays_lie() -> None:
    text = '[a]\nb = [ "x]", # ]\n [1, 2], ]\nc = []'
    spans = array_spans(text)
    assert {path: text[span.start : span.close + 1] for path, span in spans.items()} == {
        ("a", "b"): '[ "x]", # ]\n [1, 2], ]',
        ("a", "b", 1): "[1, 2]",
        ("a", "c"): "[]",
    }
    assert [text[start:end] for start, end in spans["a", "b"].values] == ['"x]"', "[1, 2]"]
    assert (spans["a", "b"].comma, spans["a", "b", 1].comma, spans["a", "c"].comma) == (True, False, False)
    assert array_spans("a = [] ]") == {
        ("a",): spans["a", "c"].__class__(start=4, values=(), comma=False, close=5)
    }
