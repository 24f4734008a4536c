"""Each gate by itself: what passes, what does not, and that what is not known does not."""

import pytest

from fakes.made import NOW, allow, deny, file, hashes, locks, sha
from wheelkeep.core.gates import Context, Gate
from wheelkeep.core.lock import Locked, LockedFile
from wheelkeep.core.names import ProjectName
from wheelkeep.core.verdict import Outcome

CONTEXT = Context(now=NOW)


def said(gate: Gate, filename: str, **told: object) -> tuple[bool, str, str]:
    verdict = gate.verdict(file(filename, **told), CONTEXT)
    assert verdict.gate == gate.name
    assert verdict.sentence
    assert verdict.code.startswith(f"{gate.name}-")
    assert bool(verdict.remedy) is not verdict.admits
    return verdict.admits, verdict.code, verdict.sentence


@pytest.mark.parametrize(
    ("texts", "filename", "code"),
    [
        (["demo"], "demo-1.0.tar.gz", "allow-listed"),
        (["demo>=1,<2"], "demo-1.0.tar.gz", "allow-listed"),
        (["demo>=1,<2"], "demo-1.5rc1.tar.gz", "allow-listed"),
        (["demo>=1,<2"], "demo-2.0.tar.gz", "allow-version"),
        (["demo==1.0", "demo==2.0"], "demo-2.0.tar.gz", "allow-listed"),
        (["Demo"], "demo-1.0.tar.gz", "allow-listed"),
        (["other"], "demo-1.0.tar.gz", "allow-unlisted"),
        ([], "demo-1.0.tar.gz", "allow-unlisted"),
        (["demo"], "demo_extra-1.0.tar.gz", "allow-unlisted"),
    ],
)
def test_allow(texts: list[str], filename: str, code: str) -> None:
    assert said(allow(*texts), filename)[:2] == (code == "allow-listed", code)


def test_allow_says_what_is_listed() -> None:
    assert said(allow("Demo>=2"), "demo-2.1.tar.gz")[2] == 'listed as "Demo>=2"'
    sentence = "demo 1.0 is not on the allow list, which has demo>=2, demo==1.1"
    gate = allow("demo>=2", "demo==1.1", "other")
    assert said(gate, "demo-1.0.tar.gz")[2] == sentence
    assert said(gate, "demo-1.0.tar.gz")[2] == sentence
    assert '"demo==1.0"' in gate.verdict(file("demo-1.0.tar.gz"), CONTEXT).remedy


def test_allow_knows_names_whatever_the_version() -> None:
    gate = allow("demo>=2")
    assert gate.knows(ProjectName("demo"))
    assert not gate.knows(ProjectName("demo-extra"))
    verdict = gate.unlisted(ProjectName("demo-extra"))
    assert (verdict.outcome, verdict.code) == (Outcome.BLOCKED, "allow-unlisted")
    assert "demo-extra" in verdict.sentence


WHEEL = "demo-1.0-cp313-cp313-manylinux_2_17_x86_64.whl"


def test_a_lock_admits_exactly_its_files() -> None:
    gate = allow(locked=locks(file(WHEEL)))
    assert said(gate, WHEEL) == (True, "allow-locked", "one of the files of uv.lock")
    for other in ("demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz", "demo-2.0.tar.gz"):
        assert said(gate, other)[:2] == (False, "allow-lock")
    assert said(gate, WHEEL, sha256=sha("other bytes"))[:2] == (False, "allow-lock")
    assert said(gate, "other-1.0.tar.gz", sha256=file(WHEEL).sha256)[:2] == (False, "allow-unlisted")
    told = "this file of demo 2.0 is not on the allow list, which has 1.0 in uv.lock"
    assert said(gate, "demo-2.0.tar.gz")[2] == told


def test_a_file_whose_hash_nobody_tells_is_in_no_lock() -> None:
    gate = allow(locked=locks(file(WHEEL)))
    assert said(gate, WHEEL, sha256=None)[:2] == (False, "allow-unknown")
    assert "held against 1.0 in uv.lock" in said(gate, WHEEL, sha256=None)[2]
    # The hash of the bytes that came first is as good as one that a page tells: no others are ever served.
    assert said(gate, WHEEL, unstated=True)[:2] == (True, "allow-locked")


def test_a_requirement_or_a_lock_is_enough() -> None:
    gate = allow("demo>=2", "more", locked=locks(file(WHEEL)))
    assert said(gate, WHEEL)[1] == "allow-locked"
    assert said(gate, "demo-2.1.tar.gz")[1] == "allow-listed"
    assert said(gate, "demo-2.1.tar.gz", sha256=None)[1] == "allow-listed"
    told = "this file of demo 1.0 is not on the allow list, which has demo>=2, or 1.0 in uv.lock"
    assert said(gate, "demo-1.0.tar.gz")[1:] == ("allow-lock", told)
    assert said(gate, "more-1.0.tar.gz")[1] == "allow-listed"


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (Locked(project=ProjectName("demo"), files=(LockedFile(),)), "uv.lock has it without a sha256"),
        (
            Locked(project=ProjectName("demo"), origin="git"),
            "demo is taken from a repository, which no index has",
        ),
    ],
)
def test_a_name_that_a_lock_has_no_file_of_is_not_asked_for(entry: Locked, why: str) -> None:
    """A project of our own that a lock takes from its folder would else be named to others."""
    gate = allow(locked=locks(entry))
    assert not gate.knows(ProjectName("demo"))
    assert said(gate, "demo-1.0.tar.gz")[1:] == ("allow-unlisted", f"demo is not on the allow list; {why}")
    assert allow(locked=locks(file(WHEEL))).knows(ProjectName("demo"))


@pytest.mark.parametrize(
    ("filename", "code"),
    [
        ("litellm-1.82.7.tar.gz", "deny-package"),
        ("litellm-1.82.8-py3-none-any.whl", "deny-package"),
        ("litellm-1.82.8rc1.tar.gz", "deny-package"),
        ("litellm-1.82.9.tar.gz", "deny-clear"),
        ("LiteLLM-1.82.8.tar.gz", "deny-package"),
        ("ctx-0.0.1.tar.gz", "deny-package"),
        ("ctx2-0.0.1.tar.gz", "deny-clear"),
    ],
)
def test_deny_by_name(filename: str, code: str) -> None:
    gate = deny("ctx", "litellm>=1.82.7,<1.82.9")
    assert said(gate, filename)[:2] == (code == "deny-clear", code)


def test_deny_by_hash_whatever_the_name() -> None:
    gate = deny(hashes=(sha("bad"),))
    assert said(gate, "demo-1.0.tar.gz", sha256=sha("bad"))[:2] == (False, "deny-hash")
    assert said(gate, "other-3.zip", sha256=sha("bad"))[:2] == (False, "deny-hash")
    assert said(gate, "demo-1.0.tar.gz", sha256=sha("good"))[:2] == (True, "deny-clear")


def test_deny_by_hash_blocks_a_file_whose_hash_is_not_known() -> None:
    unknown = {"sha256": None, "digests": {"md5": "0" * 32}}
    assert said(deny(hashes=(sha("bad"),)), "demo-1.0.tar.gz", **unknown)[:2] == (False, "deny-unknown")
    assert said(deny("ctx"), "demo-1.0.tar.gz", **unknown)[:2] == (True, "deny-clear")


def test_deny_says_the_keepers_reason() -> None:
    assert said(deny("ctx", reason="INC-42"), "ctx-1.0.tar.gz")[2] == 'INC-42 (denied as "ctx")'
    assert said(deny("ctx"), "ctx-1.0.tar.gz")[2] == 'denied as "ctx"'
    by_hash = said(deny(hashes=(sha("bad"),), reason="INC-42"), "x-1.tar.gz", sha256=sha("bad"))[2]
    assert by_hash == f"INC-42 (denied by its hash sha256:{sha('bad')})"


@pytest.mark.parametrize(
    ("required", "sha256", "code"),
    [
        (True, sha("a"), "hashes-stated"),
        (False, sha("a"), "hashes-stated"),
        (False, None, "hashes-unstated"),
        (True, None, "hashes-missing"),
    ],
)
def test_hashes(required: bool, sha256: str | None, code: str) -> None:
    assert said(hashes(required=required), "demo-1.0.tar.gz", sha256=sha256)[:2] == (
        code != "hashes-missing",
        code,
    )


def test_another_digest_is_no_sha256() -> None:
    told = {"sha256": None, "digests": {"sha512": "0" * 128}}
    assert said(hashes(), "demo-1.0.tar.gz", **told)[:2] == (False, "hashes-missing")
