"""Severity: vectors and words, the worst of several, and what is not told."""

import pytest

from fakes.osv import HIGH, LOW
from wheelkeep.core.severity import least, of_score, rank_of, read_severity, worst


@pytest.mark.parametrize(
    ("told", "step"),
    [
        (HIGH, "high"),
        (LOW, "low"),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "critical"),
        ("AV:N/AC:L/Au:N/C:P/I:P/A:P", "high"),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "critical"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", "none"),
        ("MODERATE", "medium"),
        ("Critical", "critical"),
        (
            [{"type": "CVSS_V3", "score": LOW}, {"type": "CVSS_V2", "score": "AV:N/AC:L/Au:N/C:P/I:P/A:P"}],
            "high",
        ),
    ],
)
def test_what_is_told(told: object, step: str) -> None:
    assert read_severity(told) == step


@pytest.mark.parametrize(
    "told",
    [
        None,
        "",
        7.5,
        "7.5",
        "CVSS:3.1/AV:N",
        "CVSS:9/AV:N",
        "a/b",
        "x" * 9999,
        [],
        [None, {}, {"score": 3}],
        {"score": HIGH},
    ],
)
def test_what_cannot_be_understood_is_not_told(told: object) -> None:
    assert read_severity(told) is None
    assert rank_of(read_severity(told)) == rank_of("critical")


def test_the_worst_of_several_counts() -> None:
    assert read_severity(LOW, None, "high", "junk") == "high"
    assert worst([None, None]) is None
    assert worst(["low", None]) == "low"


def test_steps_in_order() -> None:
    assert [of_score(score) for score in (0, 0.1, 3.9, 4, 6.9, 7, 8.9, 9, 10)] == [
        "none", "low", "low", "medium", "medium", "high", "high", "critical", "critical"
    ]  # fmt: skip
    assert [least(word) for word in ("any", "low", "medium", "high", "critical")] == [0, 1, 2, 3, 4]
