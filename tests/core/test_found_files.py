"""Names of files as folders have them, old ones too: what each claims, and which refusals are a matter of age."""

import pytest

from fakes.made import sha
from wheelkeep.core.found_files import claim_of, distribution, only_old

OLD_RECORD = "demo-1.0-py3-none-any.whl: its RECORD does not list 'demo.py'"


@pytest.mark.parametrize(
    ("filename", "project", "version", "kind"),
    [
        ("demo-1.0-py3-none-any.whl", "demo", "1.0", "wheel"),
        ("Acme.Lib-1.0-2-py2.py3-none-any.whl", "acme-lib", "1.0", "wheel"),
        ("acme_lib-1.0.tar.gz", "acme-lib", "1.0", "sdist"),
        ("Acme-Lib-1.0-beta.tar.gz", "acme-lib", "1.0b0", "sdist"),
    ],
)
def test_a_good_name_claims_what_a_form_would(filename: str, project: str, version: str, kind: str) -> None:
    claim = claim_of(filename, sha("x"))
    assert (claim.project, claim.version, claim.kind, claim.filename) == (project, version, kind, filename)
    assert (claim.problems, claim.digests, claim.complete) == ((), {"sha256": sha("x")}, True)


@pytest.mark.parametrize(
    "filename",
    ["demo.whl", "demo-1.0.doc.zip", "demo-1.0.zip", "demo-1.0_1-py3-none-any.whl", "\x1b-1.0.zip"],
)
def test_a_name_that_no_upload_may_have_says_so(filename: str) -> None:
    claim = claim_of(filename, sha("x"))
    assert not claim.complete
    assert len(claim.problems) == 1
    assert claim.problems[0].isprintable()


@pytest.mark.parametrize(
    ("filename", "problems", "old"),
    [
        ("demo-1.0.zip", ["no .tar.gz"], True),
        ("demo-1.0.tar.bz2", ["no .tar.gz"], True),
        ("demo-1.0_1-py3-none-any.whl", ["no name"], True),
        ("demo-1.0_one-py3-none-any.whl", ["no name"], False),
        ("demo-1.0.doc.zip", ["no name"], False),
        ("demo-1.0-py3-none-any.whl", [OLD_RECORD], True),
        ("demo-1.0-py3-none-any.whl", [OLD_RECORD, "demo-1.0-py3-none-any.whl: it is cut off"], False),
        ("demo-1.0.tar.gz", ["demo-1.0.tar.gz: it has no PKG-INFO in its top folder"], False),
    ],
)
def test_only_age_is_called_age(filename: str, problems: list[str], old: bool) -> None:
    assert (only_old(filename, problems) is not None) == old


def test_what_may_be_meant_as_a_distribution() -> None:
    there = ["demo-1.0.whl", "a.tar.gz", "b.zip", "index.html", "demo-1.0.whl.metadata", "x.asc"]
    assert [name for name in there if distribution(name)] == there[:3]
