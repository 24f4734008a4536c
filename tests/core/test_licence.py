"""What metadata tells of a licence, and what a list of SPDX identifiers makes of it."""

import pytest

from wheelkeep.core.licence import Told, allows, read_info, read_metadata

ALLOWED = frozenset({"MIT", "BSD-3-Clause", "Apache-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"})


@pytest.mark.parametrize(
    ("expression", "verdict"),
    [
        ("MIT", True),
        ("mit", True),
        ("GPL-3.0-only", False),
        ("MIT OR GPL-3.0-only", True),
        ("GPL-3.0-only OR MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("GPL-3.0-only AND MIT", False),
        ("MIT AND Apache-2.0", True),
        ("MIT OR GPL-3.0-only AND AGPL-3.0-only", True),
        ("(MIT OR GPL-3.0-only) AND AGPL-3.0-only", False),
        ("(GPL-3.0-only OR (MIT AND (BSD-3-Clause)))", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", True),
        ("GPL-2.0-only WITH GCC-exception-3.1", False),
        ("GPL-2.0-only", False),
        ("Apache-2.0+", False),
        ("LicenseRef-Proprietary", False),
        ("MIT/Apache-2.0", None),
        ("my own licence", None),
        ("MIT OR", None),
        ("(" * 1_900 + "MIT", None),
        ("(" * 900 + "MIT" + ")" * 900, None),
    ],
)
def test_expressions(expression: str, verdict: bool | None) -> None:
    assert allows(Told(expression=expression, classifiers=("MIT License",)), ALLOWED) is verdict


@pytest.mark.parametrize(
    ("classifiers", "verdict"),
    [
        ((), None),
        (("MIT License",), True),
        (("BSD License",), True),
        (("GNU General Public License v3 (GPLv3)",), False),
        (("MIT License", "GNU General Public License v3 (GPLv3)"), False),
        (("MIT License", "Apache Software License"), True),
        (("Free for non-commercial use",), None),
        (("MIT License", "Free for non-commercial use"), None),
        (("GNU General Public License v3 (GPLv3)", "Free for non-commercial use"), False),
        (("Other/Proprietary License",), False),
    ],
)
def test_classifiers_count_where_there_is_no_expression(
    classifiers: tuple[str, ...], verdict: bool | None
) -> None:
    assert allows(Told(classifiers=classifiers), ALLOWED) is verdict


def test_core_metadata() -> None:
    body = (
        b"Metadata-Version: 2.4\nName: demo\nLicense-Expression: MIT\nLicense-Expression: GPL-3.0-only\n"
        b"Classifier: License :: OSI Approved\nClassifier: License :: OSI Approved :: MIT License\n"
        b"Classifier: Programming Language :: Python\n\nLicense-Expression: evil\n"
    )
    assert read_metadata(body) == Told(expression="(MIT) AND (GPL-3.0-only)", classifiers=("MIT License",))
    assert read_metadata(b"Name: demo\nLicense: MIT\n") == Told()
    assert read_metadata(b"\xff\xfe\x00") == Told()


def test_the_legacy_json() -> None:
    told = {"license_expression": "MIT", "classifiers": ["License :: OSI Approved :: ISC License (ISCL)", 5]}
    assert read_info(told) == Told(expression="MIT", classifiers=("ISC License (ISCL)",))
    assert read_info({"license_expression": None, "classifiers": None, "license": "MIT"}) == Told()


def test_words_are_fit_to_be_shown() -> None:
    assert Told(expression="MIT\x1b[31m" + "x" * 500).words == ("MIT[31m" + "x" * 500)[:120]
    assert Told(classifiers=("MIT License", "BSD License")).words == "MIT License, BSD License"


@pytest.mark.parametrize("filling", [" " * 3_000, " OR MIT" * 500])
def test_an_expression_that_is_too_long_is_not_read_from_its_beginning_alone(filling: str) -> None:
    told = read_info({"license_expression": f"MIT{filling} AND GPL-3.0-only"})
    assert allows(told, ALLOWED) is None
    assert told.words.startswith("MIT")


def test_a_classifier_behind_many_unknown_ones_still_counts() -> None:
    unknown = [f"License :: OSI Approved :: Licence {number}" for number in range(60)]
    gpl = "License :: OSI Approved :: GNU General Public License v3 (GPLv3)"
    assert allows(read_info({"classifiers": [*unknown, gpl]}), ALLOWED) is False


def test_of_several_expressions_each_must_be_allowed() -> None:
    twice = b"Name: demo\nLicense-Expression: MIT\nLicense-Expression: GPL-3.0-only\n\n"
    assert allows(read_metadata(twice), ALLOWED) is False
    assert allows(read_metadata(twice.replace(b"GPL-3.0-only", b"MIT")), ALLOWED) is True
    assert allows(read_metadata(twice.replace(b"GPL-3.0-only", b"")), ALLOWED) is None
