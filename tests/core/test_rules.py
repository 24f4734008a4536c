import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelkeep.core.names import project
from wheelkeep.core.rules import (
    Ranges,
    Rule,
    RuleSet,
    is_glob,
    read_glob,
    read_name,
    read_rule,
    read_versions,
)


@pytest.mark.parametrize(
    ("text", "name", "specifier"),
    [
        ("requests", "requests", ""),
        (" Zope.Interface ", "zope-interface", ""),
        ("django>=5,<6", "django", ">=5,<6"),
        ("django >= 5 , < 6", "django", ">= 5 , < 6"),
        ("django (>=5)", "django", ">=5"),
        ("numpy==2.*", "numpy", "==2.*"),
        ("numpy!=2.0", "numpy", "!=2.0"),
        ("numpy~=2.0", "numpy", "~=2.0"),
        ("numpy===2.0", "numpy", "===2.0"),
    ],
)
def test_requirements(text: str, name: str, specifier: str) -> None:
    for globs in (False, True):
        assert read_rule(text, globs=globs) == Rule(name=name, specifier=specifier, text=text.strip())


@pytest.mark.parametrize(
    ("text", "name", "specifier"),
    [
        ("acme-*", "acme-*", ""),
        ("Acme_*", "acme-*", ""),
        ("acme.*", "acme-*", ""),
        ("*", "*", ""),
        ("torch*<2", "torch*", "<2"),
        ("lib[0-9]*", "lib[0-9]*", ""),
        ("lib[!ab]-x", "lib[!ab]-x", ""),
        ("?cme==1.*", "?cme", "==1.*"),
    ],
)
def test_globs(text: str, name: str, specifier: str) -> None:
    assert read_rule(text, globs=True) == Rule(name=name, specifier=specifier, text=text, glob=True)
    with pytest.raises(ValueError, match=r"is not a (name|requirement)"):
        read_rule(text)


REFUSED = [
    ("", "is not a requirement"),
    ("-x", "is not a requirement"),
    ("a\nb", "is not a requirement"),
    ("requests[socks]", "has an extra"),
    ("requests[socks]>=2", "has an extra"),
    ("requests @ https://user:hunter2@x.example/a.whl", "has a URL"),
    ("requests; python_version < '3'", "has a marker"),
    ("requests>=2; python_version < '3'", "has a marker"),
    ("django=5", 'write "django==5"'),
    ("django 5", "no range of versions"),
    ("django>=", "no range of versions"),
    ("django,", "no range of versions"),
    ("django>=x", "no range of versions"),
    ("b\u00fccher", "no range of versions"),
    ("x" * 300, "is not a project name"),
]


@pytest.mark.parametrize(("text", "words"), REFUSED)
def test_what_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        read_rule(text)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "text", [*(text for text, _ in REFUSED), "foo-", "acme[", "[a_b]*", "acme-*[x", "* 1"]
)
def test_what_is_refused_where_globs_are_taken(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_rule(text, globs=True)
    assert "hunter2" not in str(caught.value)


def test_a_name_alone() -> None:
    assert read_name("Zope_Interface") == "zope-interface"
    for text in ("zope>1", "acme-*", "", "ümlaut"):
        with pytest.raises(ValueError, match="is not a project name"):
            read_name(text)


def test_a_glob_alone() -> None:
    assert read_glob("Acme.*") == "acme-*"
    assert read_glob("acmelib") == "acmelib"
    assert read_glob("lib[ab]") == "lib[ab]"
    assert is_glob("acme-*")
    assert not is_glob("acme")
    for text in ("", "a b", "a[", "a]", "[]", "acme-", "a<2", "a/b", "ü*"):
        with pytest.raises(ValueError, match="is not a"):
            read_glob(text)


def test_a_range_says_what_it_says() -> None:
    rule = read_rule("django>=5,<6")
    assert rule.matches(project("Django"), "5.1")
    assert rule.matches(project("django"), "5.1rc1")
    assert not rule.matches(project("django"), "5.0rc1")
    assert not rule.matches(project("django"), "6.0rc1")
    assert not rule.matches(project("django-x"), "5.1")
    assert read_rule("django").matches(project("django"), "1.0.dev1")
    assert read_rule("acme-*>1", globs=True).matches(project("acme-core"), "2.0a1")
    assert not read_rule("acme-*>1", globs=True).matches(project("acme-core"), "1.0")
    assert not read_rule("acme-*", globs=True).matches(project("acme"), "1.0")


def test_a_set_answers_in_written_order() -> None:
    texts = ["acme-*<2", "acme-core>=3", "requests", "acme-core==1.0", "*-core==9"]
    rules = RuleSet(read_rule(text, globs=True) for text in texts)
    core = project("acme-core")
    assert len(rules) == 5
    assert [rule.text for rule in rules] == texts
    assert [rule.text for rule in rules.for_project(core)] == [texts[0], texts[1], texts[3], texts[4]]
    assert rules.for_project(core) is rules.for_project(core)
    matched = [rules.match(core, version) for version in ("1.0", "3.0", "2.5", "9")]
    assert [rule and rule.text for rule in matched] == ["acme-*<2", "acme-core>=3", None, "acme-core>=3"]
    assert rules.knows(core)
    assert rules.knows(project("requests"))
    assert not rules.knows(project("flask"))
    assert rules.match(project("flask"), "1.0") is None


def test_what_clients_ask_does_not_pile_up() -> None:
    rules = RuleSet([read_rule("acme-*", globs=True)])
    for number in range(20_000):
        rules.knows(project(f"n{number}"))
    assert len(rules._found) <= 8192
    assert rules.knows(project("acme-x"))


def test_large_sets_are_quick() -> None:
    texts = [f"pkg-{n}>={n % 50},<{n % 50 + 1}" for n in range(10_000)]
    started = time.process_time()
    rules = RuleSet(read_rule(text, globs=True) for text in texts)
    built = time.process_time() - started
    name, versions = project("pkg-5"), [f"5.{n // 10}.0" for n in range(5_000)]
    started = time.process_time()
    assert all(rules.match(name, version) for version in versions)
    matched = time.process_time() - started
    # Tens of times what a laptop needs: a machine under load must not fail, a wrong order of growth must.
    assert built < 4
    assert matched < 1


@given(st.text(st.sampled_from("aB1-_.*?[]!<>=~,@;() "), max_size=20), st.booleans())
def test_any_text_is_a_rule_or_a_sentence(text: str, globs: bool) -> None:
    try:
        rule = read_rule(text, globs=globs)
    except ValueError as error:
        assert str(error)
    else:
        assert rule.matches(project("a"), "1.0") in (True, False)
        assert RuleSet([rule]).knows(project("a-b")) == rule.speaks_of(project("a-b"))
        assert read_rule(rule.text, globs=globs) == rule


def test_versions_of_a_project() -> None:
    demo = project("demo")
    for text, version, meant in (
        ("1.2", "1.2", True),
        (" v1.2.0 ", "1.2", True),
        ("1.2", "1.3", False),
        (">=1,<2", "1.9", True),
        ("~=1.2", "2.0", False),
        ("*", "9.9rc1", True),
    ):
        rule = read_versions(text, demo)
        assert (rule.name, rule.allows(version)) == ("demo", meant), text
    for wrong in ("", "one", "**", "-x", "[x]==1", "==", "==1; x", "@ somewhere", "1.2 ,", ">=1 -other"):
        with pytest.raises(ValueError, match=r"^\""):
            read_versions(wrong, demo)


SPECIFIERS = [
    "",
    "==1.0",
    "==1",
    "== 1.0.0",
    "==1.0+local",
    "===1.0",
    "==1.*",
    "==1.0,==1.0.0",
    ">=1",
    "!=1.0",
    "==2.0rc1",
]
VERSIONS = ["1.0", "1.0.0", "1", "1.0+local", "1.0+other", "2.0rc1", "2.0", "0!1.0", "1.0.post1"]


@given(st.lists(st.sampled_from(SPECIFIERS), max_size=6), st.sampled_from(VERSIONS))
def test_pins_are_found_as_if_they_were_tried_one_by_one(specifiers: list[str], version: str) -> None:
    rules = [read_rule(f"demo{specifier}") for specifier in specifiers]
    allowing = [at for at, rule in enumerate(rules) if rule.allows(version)]
    ranges = Ranges(rules)
    assert sorted(ranges.every(version)) == allowing
    assert ranges.first(version) == (rules[allowing[0]] if allowing else None)


def test_thousands_of_pins_of_one_project_cost_next_to_nothing() -> None:
    rules = RuleSet([read_rule(f"demo==1.{number}") for number in range(10_000)])
    began = time.process_time()
    matched = [rules.match(project("demo"), f"1.{number}") for number in range(9_000, 11_000)]
    assert time.process_time() - began < 1
    assert [rule.text for rule in matched if rule is not None] == [
        f"demo==1.{n}" for n in range(9_000, 10_000)
    ]


@given(
    st.lists(st.sampled_from(["demo", "de*", "lib[ab]-x", "*-core", "a?c", "other>=2", "ab*<3"]), max_size=5),
    st.sampled_from(["demo", "dem", "liba-x", "libc-x", "acme-core", "core", "abc", "abcd", "other"]),
)
def test_a_set_knows_the_names_that_it_has_rules_for(texts: list[str], name: str) -> None:
    rules = RuleSet(read_rule(text, globs=True) for text in texts)
    assert rules.knows(project(name)) is bool(rules.for_project(project(name)))
