"""What a publisher is met by: the very values, or a pattern that stops at slashes."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelkeep.core.access import Scope
from wheelkeep.core.names import SourceName
from wheelkeep.core.publishers import Claim, Pattern, Publisher

LIB = Publisher(
    source=SourceName("acme"),
    name="acme/lib",
    issuer="https://issuer.example",
    claims=(Claim("repository", ("acme/lib",)), Claim("ref", (Pattern("refs/tags/v*"), "refs/heads/main"))),
    projects=("acme-lib", "acme-x-*"),
    until=date(2026, 12, 31),
)
GOOD = {"repository": "acme/lib", "ref": "refs/tags/v1.0", "more": ["is", "no", "matter"]}


def test_a_token_that_meets_every_claim_is_the_publishers() -> None:
    assert LIB.differs(GOOD) == ()
    assert LIB.differs(GOOD | {"ref": "refs/heads/main"}) == ()
    assert LIB.scopes == (Scope("publish", "acme", "acme-lib"), Scope("publish", "acme", "acme-x-*"))


@pytest.mark.parametrize(
    "repository",
    ["Acme/lib", "acme/Lib", "acme/lib ", " acme/lib", "acme/lib2", "acme/li", "acme/lib\n", "acme/lib/", "",
     "acme\u200b/lib", "\u0430cme/lib", None, True, 1, ["acme/lib"], {"acme/lib": 1}],
)  # fmt: skip
def test_near_misses_are_misses(repository: Any) -> None:
    assert LIB.differs(GOOD | {"repository": repository}) == ("repository",)


@pytest.mark.parametrize(
    "ref", ["refs/tags/v1/other", "refs/tags/1", "refs/heads/v1", "xrefs/tags/v1", "refs/heads/main2", None]
)
def test_a_pattern_is_held_against_the_whole_value(ref: Any) -> None:
    assert LIB.differs(GOOD | {"ref": ref}) == ("ref",)


def test_a_claim_that_is_not_there_is_not_met() -> None:
    assert LIB.differs({}) == ("repository", "ref")


def test_kinds_are_not_mixed() -> None:
    assert Claim("id", (1,)).holds(1)
    assert not any(Claim("id", (1,)).holds(told) for told in (True, "1", 1.0, [1]))
    assert Claim("safe", (True,)).holds(True)
    assert not any(Claim("safe", (True,)).holds(told) for told in (1, "true", "True"))
    assert not Claim("id", ("1",)).holds(1)


def test_it_holds_to_the_end_of_its_last_day() -> None:
    assert not LIB.is_over(date(2026, 12, 31))
    assert LIB.is_over(date(2027, 1, 1))


@pytest.mark.parametrize(
    ("glob", "yes", "no"),
    [
        ("acme/*", ["acme/a", "acme/"], ["acme/a/b", "acmex/a", "acme"]),
        ("acme/**", ["acme/a", "acme/a/b"], ["acmex/a"]),
        ("**a*b", ["a/ab", "ab", "x/y/aab"], ["a/b", "a/"]),
        ("v?", ["v1"], ["v", "v/", "v12"]),
        ("a.c[d]", ["a.c[d]"], ["abcd", "a.cd"]),
        ("*", ["", "a"], ["a/", "/"]),
    ],
)
def test_stars(glob: str, yes: list[str], no: list[str]) -> None:
    assert [text for text in yes + no if Pattern(glob).holds(text)] == yes


@given(st.text(alphabet="ab/*?", max_size=30), st.text(alphabet="ab/", max_size=60))
def test_a_single_star_never_crosses_a_slash(glob: str, text: str) -> None:
    if "**" not in glob and Pattern(glob).holds(text):
        assert glob.count("/") == text.count("/")


@given(st.text(max_size=40))
def test_what_has_no_star_means_itself(text: str) -> None:
    if not set(text) & set("*?"):
        assert Pattern(text).holds(text)
        assert not Pattern(text).holds(text + "x")


def test_many_stars_are_not_slow() -> None:
    assert not Pattern("*a" * 200 + "b").holds("a" * 1000)
    assert not Pattern("**").holds("a" * 1001)


def test_which_patterns_fix_an_owner() -> None:
    fixed = ["acme/*", "repo:acme/*", "acme/**", "acme/lib"]
    loose = ["*", "acme*", "*/lib", "acme*/lib", "**/lib", "ac?e/lib", "/lib", "acme"]
    assert [glob for glob in fixed + loose if Pattern(glob).names_an_owner] == fixed
