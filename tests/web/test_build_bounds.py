from wheelkeep.core.names import ProjectName
from wheelkeep.web.build_bounds import Bounds, Spent

A, B, C = (ProjectName(name) for name in "abc")


def test_each_counts_once() -> None:
    spent = Spent(bounds=Bounds(projects=2, files=2, metadata=1, size=100))
    assert [spent.project(name) for name in (A, A, B, A)] == [True] * 4
    assert [spent.file(A, "x", 40), spent.file(A, "x", 40), spent.file(B, "x", 60)] == [True] * 3
    assert [spent.described(A, "x"), spent.described(A, "x")] == [True] * 2
    assert spent.too_much == ""


def test_what_is_too_much_is_said_and_the_rest_goes_on() -> None:
    spent = Spent(bounds=Bounds(projects=1, files=2, metadata=1, size=100))
    assert [spent.project(A), spent.project(B), spent.project(A)] == [True, False, True]
    assert spent.too_much == "it asked the index for more than 1 projects"
    assert [spent.described(A, "x"), spent.described(A, "y")] == [True, False]
    assert spent.too_much == "it asked the index for more than 1 pieces of metadata"
    assert [spent.file(A, "x", 90), spent.file(A, "y", 11), spent.file(A, "y", 10)] == [True, False, True]
    assert spent.too_much == "it asked the index for more than 100 bytes of files"
    assert [spent.file(A, "z", 0), spent.file(A, "x", 90)] == [False, True]
    assert spent.too_much == "it asked the index for more than 2 files"


def test_a_size_that_is_not_told_counts_as_much() -> None:
    spent = Spent()
    assert sum(spent.file(A, str(at), None) for at in range(100)) == 40
    # Nothing is shared between two builds.
    assert Spent().files == set()


def test_the_same_cannot_be_asked_for_without_end() -> None:
    spent = Spent(bounds=Bounds(requests=2))
    assert [spent.request() for _ in range(4)] == [True, True, False, False]
    assert spent.too_much == "it asked the index more than 2 times"
