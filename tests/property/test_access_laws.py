"""Laws of scopes that hold whatever they are."""

from hypothesis import given
from hypothesis import strategies as st

from wheelkeep.core.access import (
    Admin,
    Approve,
    Publish,
    Read,
    Scope,
    Want,
    allows,
    needed,
    read_scope,
)
from wheelkeep.core.names import IndexName, ProjectName, SourceName

places = st.sampled_from(["main", "other", "acme"])
projects = st.sampled_from(["acme-lib", "acme-app", "acmelib", "numpy"]).map(ProjectName)
globs = st.sampled_from(["", "*", "acme-*", "acme*", "acme-lib", "*-app", "?????", "acme-[lm]*"])
scopes: st.SearchStrategy[Scope] = st.one_of(
    st.builds(lambda where: Scope("read", where), places),
    st.builds(lambda where, glob: Scope("publish", where, glob), places, globs),
    st.just(Scope("approve")),
    st.just(Scope("admin")),
)
narrow = scopes.filter(lambda scope: scope.word != "admin")
some = st.lists(scopes, max_size=4)
wants: st.SearchStrategy[Want] = st.one_of(
    st.builds(lambda index: Read(IndexName(index)), places),
    st.builds(lambda source, name: Publish(SourceName(source), name), places, st.none() | projects),
    st.just(Approve()),
    st.just(Admin()),
)


@given(scopes)
def test_a_scope_is_read_as_it_is_written(scope: Scope) -> None:
    assert read_scope(str(scope)) == scope


@given(wants)
def test_without_scopes_nothing_is_allowed(want: Want) -> None:
    assert not allows([], want)


@given(some, wants)
def test_admin_is_allowed_everything(told: list[Scope], want: Want) -> None:
    assert allows([*told, Scope("admin")], want)


@given(some, scopes, wants)
def test_a_scope_more_never_takes_away(told: list[Scope], more: Scope, want: Want) -> None:
    assert not allows(told, want) or allows([*told, more], want)


@given(some, wants)
def test_several_scopes_are_each_for_itself(told: list[Scope], want: Want) -> None:
    assert allows(told, want) == any(allows([scope], want) for scope in told)


@given(wants)
def test_the_scope_that_is_named_to_whoever_lacks_it_is_enough(want: Want) -> None:
    assert allows([read_scope(needed(want))], want)


@given(narrow, wants)
def test_no_word_implies_another(scope: Scope, want: Want) -> None:
    """Least of all does publishing imply reading."""
    word = {Read: "read", Publish: "publish", Approve: "approve", Admin: "admin"}[type(want)]
    assert not allows([scope], want) or scope.word == word


@given(narrow, places, places, projects)
def test_no_place_is_another(scope: Scope, one: str, two: str, name: ProjectName) -> None:
    pairs: list[tuple[Want, Want]] = [
        (Read(IndexName(one)), Read(IndexName(two))),
        (Publish(SourceName(one), name), Publish(SourceName(two), name)),
    ]
    for first, second in pairs:
        assert one == two or not (allows([scope], first) and allows([scope], second))


@given(some, places, projects)
def test_who_may_publish_a_project_may_publish_at_all(
    told: list[Scope], where: str, name: ProjectName
) -> None:
    source = SourceName(where)
    assert not allows(told, Publish(source, name)) or allows(told, Publish(source))
