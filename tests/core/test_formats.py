"""The formats gate: kinds and sizes, and what is not told blocks."""

from fakes import made
from wheelkeep.core.formats import FormatsGate
from wheelkeep.core.gates import Context
from wheelkeep.core.verdict import Verdict


def said(filename: str, *, wheels_only: bool = False, most: int | None = None, **told: object) -> Verdict:
    gate = FormatsGate(wheels_only=wheels_only, max_size=most, sources=made.governed())
    return gate.verdict(made.file(filename, **told), Context(now=made.NOW))


def test_sdists_are_blocked_where_only_wheels_may_come() -> None:
    assert said("demo-1.0.tar.gz", wheels_only=True).code == "formats-kind"
    assert said("demo-1.0-py3-none-any.whl", wheels_only=True).admits
    assert said("demo-1.0.tar.gz").admits


def test_a_size_above_the_limit_or_not_told_is_blocked() -> None:
    wheel = "demo-1.0-py3-none-any.whl"
    assert said(wheel, most=100, size=100).admits
    assert said(wheel, most=100, size=101).code == "formats-size"
    assert said(wheel, most=100, size=None).code == "formats-size-unknown"
    assert said(wheel, size=None).admits
