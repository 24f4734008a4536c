"""Scopes are read strictly, and cover what they say and nothing else."""

import pytest

from wheelkeep.core.access import (
    Admin,
    Approve,
    Caller,
    Known,
    Publish,
    Read,
    Scope,
    Want,
    allows,
    needed,
    read_scope,
    read_token_name,
)
from wheelkeep.core.names import IndexName, SourceName, project

MAIN, ACME = IndexName("main"), SourceName("acme")
WANTS: list[Want] = [
    Read(MAIN),
    Read(IndexName("other")),
    Publish(ACME),
    Publish(ACME, project("acme-lib")),
    Publish(ACME, project("numpy")),
    Publish(SourceName("other")),
    Publish(SourceName("other"), project("acme-lib")),
    Approve(),
    Admin(),
]


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("read:main", Scope("read", "main")),
        ("publish:acme", Scope("publish", "acme")),
        ("publish:acme:acme-*", Scope("publish", "acme", "acme-*")),
        ("publish:acme:Acme_Lib", Scope("publish", "acme", "acme-lib")),
        ("publish:acme:Acme.*", Scope("publish", "acme", "acme-*")),
        ("publish:acme:*", Scope("publish", "acme", "*")),
        ("approve", Scope("approve")),
        ("admin", Scope("admin")),
    ],
)
def test_scopes(text: str, scope: Scope) -> None:
    assert read_scope(text) == scope
    assert read_scope(str(scope)) == scope


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "known here: read, publish, approve, admin"),
        ("raed:main", 'the scope "raed:main" begins with a word that is none: did you mean "read"?'),
        ("Read:main", 'did you mean "read"?'),
        (" read:main", 'did you mean "read"?'),
        ("*", "begins with a word that is none"),
        ("read", 'the scope "read" is not complete or says too much: write read:INDEX, publish:SOURCE'),
        ("read:", "'' is not an index name"),
        ("read:*", "'*' is not an index name"),
        ("read:Main", "'Main' is not an index name"),
        ("read:main:x", "says too much"),
        ("read:main ", "'main ' is not an index name"),
        ("read:api", "'api' is not free for an index"),
        ("publish", "is not complete"),
        ("publish:", "'' is not a source name"),
        ("publish:acme:", '"" is not a name or glob'),
        ("publish:acme:a b", '"a b" is not a name or glob'),
        ("publish:acme:acme>=1", '"acme>=1" is not a name or glob'),
        ("publish:acme:-", "'-' is not a project name"),
        ("publish:acme:a:b", "says too much"),
        ("approve:main", "says too much"),
        ("admin:", "says too much"),
        ("read:main,publish:acme", "says too much"),
    ],
)
def test_what_is_no_scope_says_what_to_write(text: str, says: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_scope(text)
    assert says in str(caught.value)


def covered(*texts: str) -> list[str]:
    """Which of WANTS some scopes cover, each by the scope that it would need."""
    scopes = [read_scope(text) for text in texts]
    return [needed(want) for want in WANTS if allows(scopes, want)]


@pytest.mark.parametrize(
    ("texts", "wants"),
    [
        ((), []),
        (("read:main",), ["read:main"]),
        (("publish:acme",), ["publish:acme", "publish:acme:acme-lib", "publish:acme:numpy"]),
        (("publish:acme:acme-*",), ["publish:acme", "publish:acme:acme-lib"]),
        (("publish:acme:acme-lib",), ["publish:acme", "publish:acme:acme-lib"]),
        (("publish:acme:acme",), ["publish:acme"]),
        (("publish:main",), []),
        (("approve",), ["approve"]),
        (("admin",), [needed(want) for want in WANTS]),
        (("approve", "read:other"), ["read:other", "approve"]),
    ],
)
def test_what_scopes_cover(texts: tuple[str, ...], wants: list[str]) -> None:
    assert covered(*texts) == wants


@pytest.mark.parametrize("spelling", ["Acme_Lib", "acme.lib", "ACME--lib"])
def test_globs_are_held_against_the_normal_name(spelling: str) -> None:
    assert allows([read_scope("publish:acme:acme-l*")], Publish(ACME, project(spelling)))
    assert not allows([read_scope("publish:acme:acmel*")], Publish(ACME, project(spelling)))


def test_to_be_known_any_scope_will_do() -> None:
    for text in ("read:main", "publish:acme", "approve", "admin"):
        assert allows([read_scope(text)], Known())
    assert not allows([], Known())
    assert needed(Known()) == "of any kind"


def test_names_of_tokens() -> None:
    assert read_token_name("release job") == "release job"
    for text in ("", " a", "a ", "a\nb", "a" * 101):
        with pytest.raises(ValueError, match="a name"):
            read_token_name(text)


def test_an_admin_is_known_by_its_scope() -> None:
    assert Caller("ci", (Scope("approve"), Scope("admin"))).is_admin
    assert not Caller("admin", (Scope("approve"),)).is_admin
