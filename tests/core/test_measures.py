"""What is counted: a place for everything that can happen, and the text that Prometheus reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelkeep.core import measures
from wheelkeep.core.measures import SERIES, kind_of, write


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/main/simple/demo/", "page"),
        ("GET", "/simple/", "page"),
        ("GET", "/main/files/demo/-/demo-1.0.tar.gz", "file"),
        ("GET", "/main/packages/aa/bb/cc/demo-1.0.tar.gz", "file"),
        ("GET", "/main/files/demo/-/demo-1.0.tar.gz.metadata", "metadata"),
        ("GET", "/main/pypi/demo/json", "json"),
        ("GET", "/main/integrity/demo/1.0/x/provenance", "provenance"),
        ("POST", "/main/legacy/", "upload"),
        ("POST", "/main/", "upload"),
        ("POST", "/main", "upload"),
        ("GET", "/api/v1/tokens", "api"),
        ("GET", "/main/", "other"),
        ("GET", "/", "other"),
        ("GET", "", "other"),
    ],
)
def test_what_a_request_is_about(method: str, path: str, kind: str) -> None:
    assert kind_of(path, method) == kind


@given(st.sampled_from(measures.KINDS), st.integers(0, 999), st.text(max_size=9))
def test_everything_has_a_place(kind: str, status: int, gate: str) -> None:
    one = SERIES[measures.request(kind, status)]
    assert dict(one.labels)["kind"] == kind
    assert dict(one.labels)["status"] in (str(status), "other")
    assert SERIES[measures.blocked(gate)].name == "wheelkeep_blocked_total"


def test_the_text() -> None:
    numbers = [0] * len(SERIES)
    numbers[measures.WARM_PAGE] = 7
    numbers[measures.blocked("deny")] = 2
    lines = write(numbers, {"wheelkeep_workers": ("Workers.", 3)}).decode().splitlines()
    assert 'wheelkeep_requests_total{kind="page",status="200"} 7' in lines
    assert 'wheelkeep_blocked_total{gate="deny"} 2' in lines
    assert "wheelkeep_fetches_total 0" in lines
    assert lines[-3:] == [
        "# HELP wheelkeep_workers Workers.",
        "# TYPE wheelkeep_workers gauge",
        "wheelkeep_workers 3",
    ]
    told = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(told) == len(set(told))
    assert not [line for line in lines if "status=" in line and line.endswith(" 0")]
