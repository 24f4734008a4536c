import tomllib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelkeep.core.edit_policy import allowing, denying, reasoned, waiving
from wheelkeep.core.names import SourceName
from wheelkeep.core.read_policy import read_policy
from wheelkeep.core.verdict import Waiver

SOURCES = {SourceName("pypi"): True}
WAIVER = Waiver(
    package="urllib3==2.5.1",
    gates=("cooldown", "allow"),
    reason='it mends "CVE-1"',
    by="sec@acme.example",
    until=date(2026, 12, 31),
)


def packages(text: str, table: str = "allow") -> list[str]:
    read_policy(text, file="policy.toml", sources=SOURCES)
    return list(tomllib.loads(text.removeprefix("\ufeff"))[table]["packages"])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[allow]\npackages = ["new"]\n'),
        ("# ours", '# ours\n\n[allow]\npackages = ["new"]\n'),
        ("[allow]\npackages = []  # c\n", '[allow]\npackages = ["new"]  # c\n'),
        ('[allow]\npackages = ["a", "b",]', '[allow]\npackages = ["a", "b", "new"]'),
        (
            '[allow]\npackages = [\n  # web\n  "a",  # why\n  "b"   # no comma\n]\n# end\n',
            '[allow]\npackages = [\n  # web\n  "a",  # why\n  "b",   # no comma\n  "new",\n]\n# end\n',
        ),
        (
            '[allow]\npackages = [\n\t"a",\n\t# closing\n\t]\n',
            '[allow]\npackages = [\n\t"a",\n\t# closing\n\t"new",\n\t]\n',
        ),
        ("[allow]\npackages = [\n]\n", '[allow]\npackages = [\n    "new",\n]\n'),
        ('[allow]\npackages = ["a",\n  "b"]\n', '[allow]\npackages = ["a",\n  "b",\n    "new",\n]\n'),
        (
            '[allow] # here\n# of sources\nsources = ["pypi"]\n\n# about denials\n[deny]\n',
            '[allow] # here\npackages = ["new"]\n# of sources\nsources = ["pypi"]\n\n# about denials\n[deny]\n',
        ),
        ("[allow]", '[allow]\npackages = ["new"]\n'),
        ("[allow]\r\npackages = [\r\n]\r\n", '[allow]\r\npackages = [\r\n    "new",\r\n]\r\n'),
        ("\ufeff[deny]\n", '\ufeff[deny]\n\n[allow]\npackages = ["new"]\n'),
        ('allow = { packages = ["a"] }\n', 'allow = { packages = ["a", "new"] }\n'),
    ],
)
def test_a_requirement_is_added_and_nothing_else_is_touched(before: str, after: str) -> None:
    assert allowing(before, ["new"]) == after
    assert packages(after)[-1] == "new"


def test_a_long_line_becomes_lines() -> None:
    before = '[allow]\npackages = ["a", "b"]\n'
    after = allowing(before, [f"package-number-{number}>=1" for number in range(6)])
    assert '    "a",\n    "b",\n    "package-number-0>=1",\n' in after
    assert len(packages(after)) == 8


def test_why_becomes_a_comment() -> None:
    after = allowing('[allow]\npackages = ["a"]\n', ["b", "c"], {"b": "for #7,\nby bob"})
    assert after == '[allow]\npackages = [\n    "a",\n    "b",  # for #7, by bob\n    "c",\n]\n'


@pytest.mark.parametrize("said", ["Django>=5,<6", "django <6, >=5", "django>=5,<6 "])
def test_what_stands_there_is_not_written_again(said: str) -> None:
    text = '[allow]\npackages = ["django>=5,<6", "acme-*"]\n'
    assert allowing(text, [said, "Acme_*"]) == text
    assert packages(allowing(text, ["django", "django"])) == ["django>=5,<6", "acme-*", "django"]


def test_denials_have_their_own_table() -> None:
    after = denying('[allow]\npackages = ["a"]\n', ["ctx", "b==1"])
    assert packages(after, "deny") == ["ctx", "b==1"]
    assert packages(after) == ["a"]


def test_waivers_come_last_and_once() -> None:
    before = "# ours\n[[waiver]]\npackage='a'\ngates=['allow']\nreason='r'\nby='b'\nuntil=2026-01-01 # x"
    after = waiving(before, [WAIVER, WAIVER])
    assert after.startswith(before + "\n\n[[waiver]]\n")
    assert read_policy(after, file="", sources=SOURCES).waivers[1:] == (WAIVER,)
    assert waiving(after, [WAIVER]) == after
    assert read_policy(waiving("", [WAIVER]), file="", sources=SOURCES).waivers == (WAIVER,)


@pytest.mark.parametrize(
    "text",
    ["[allow", 'allow.sources = ["pypi"]\n', "allow = {}\n", "[allow]\npackages = 'a'\n", "allow = 1\n"],
)
def test_what_cannot_be_added_to_is_said(text: str) -> None:
    with pytest.raises(ValueError, match=r"TOML|packages|nothing could be added"):
        allowing(text, ["new"])


def test_what_is_no_requirement_is_said() -> None:
    with pytest.raises(ValueError, match="no range of versions"):
        allowing("", ["a b"])
    with pytest.raises(ValueError, match="as one list"):
        waiving("waiver = []\n", [WAIVER])


@given(
    listed=st.lists(st.sampled_from(["a", "b>=1", "c==2.*"]), unique=True),
    gaps=st.lists(
        st.sampled_from(["", " ", "\n", "\n  ", ' # a ] , " remark\n', "\n\t# x\n"]), min_size=12, max_size=12
    ),
    comma=st.booleans(),
    after=st.sampled_from(["", "\n", "\n# end\n", "\n[deny]\npackages=['z'] # [\n"]),
    added=st.lists(st.sampled_from(["a", "d", "e<3", "B>=1", "f-*"])),
)
def test_whatever_the_layout(
    listed: list[str], gaps: list[str], comma: bool, after: str, added: list[str]
) -> None:
    body = ""
    for at, one in enumerate(listed):
        last = at == len(listed) - 1
        body += gaps[at * 2] + f'"{one}"' + gaps[at * 2 + 1] + ("," if comma or not last else "")
    text = f"# head\n[allow] # it\npackages = [{body}{gaps[11]}]{after}"
    done = allowing(text, added, {"d": "why # it"})
    wanted = listed + [one for one in dict.fromkeys(added) if one.lower() not in listed]
    assert packages(done) == wanted
    assert allowing(done, added) == done
    rest = iter(done)
    if "\n" in body + gaps[11]:  # of lines, every letter is still there and in its place
        assert all(letter in rest for letter in text if not letter.isspace())


def test_the_reason_of_all_denials() -> None:
    before = '# ours\n[deny] # these\npackages = ["a"]\n'
    after = reasoned(before, 'INC-42 "bad"')
    assert after == '# ours\n[deny] # these\nreason = "INC-42 \\"bad\\""\npackages = ["a"]\n'
    assert reasoned(after, 'INC-42 "bad"') == after
    with pytest.raises(ValueError, match="another reason"):
        reasoned(after, "INC-43")
    assert reasoned(denying("", ["b"]), "r") == '[deny]\nreason = "r"\npackages = ["b"]\n'
