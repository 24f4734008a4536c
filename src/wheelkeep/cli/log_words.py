"""What ``log`` tells, as documents with stable keys and as lines for people."""

from typing import TYPE_CHECKING, Any

from wheelkeep.core.checkpoint import read_checkpoint
from wheelkeep.core.log_entries import SeenFile

if TYPE_CHECKING:
    from wheelkeep.index.log_book import Proof
    from wheelkeep.index.log_check import LogCheck
    from wheelkeep.index.log_verify import Verified
    from wheelkeep.store.leaves import Leaf


def told_check(found: "LogCheck") -> dict[str, Any]:
    return {
        "good": found.good,
        "ledger": found.ledger,
        "fetches": found.fetches,
        "leaves": found.leaves,
        "files": found.files,
        "origin": found.checkpoint.origin if found.checkpoint is not None else None,
        "size": found.checkpoint.size if found.checkpoint is not None else None,
        "findings": found.findings,
    }


def told_audit(found: "Verified") -> dict[str, Any]:
    audit = found.audit
    return {
        "url": found.url,
        "good": audit.good,
        "key": str(found.key) if found.key is not None else None,
        "on_trust": found.on_trust,
        "origin": audit.checkpoint.origin if audit.checkpoint is not None else None,
        "size": audit.checkpoint.size if audit.checkpoint is not None else None,
        "before": audit.before.size if audit.before is not None else None,
        "signed_by": [one.name for one in audit.note.signatures] if audit.note is not None else [],
        "leaves": audit.leaves,
        "entries": audit.entries,
        "refused": audit.refused,
        "flaws": [{"what": flaw.what, "leaf": flaw.leaf, "says": flaw.says} for flaw in audit.flaws],
    }


def told_leaf(leaf: "Leaf", proof: "Proof") -> str:
    entry = leaf.entry
    assert isinstance(entry, SeenFile)
    size = read_checkpoint(f"{proof.checkpoint.rpartition(chr(10) * 2)[0]}\n").size
    return (
        f"{entry.filename} of {entry.source}: first seen {entry.at} with sha256 {entry.sha256}\n"
        f"    entry {leaf.index} of {size}, proven by {len(proof.proof)} hashes up to the checkpoint:\n"
        + "".join(f"    {line}\n" for line in proof.checkpoint.splitlines()).rstrip()
    )
