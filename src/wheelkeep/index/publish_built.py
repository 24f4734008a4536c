"""A wheel that was built here becomes a file of a hosted source, by the checks of an upload. What it was made of is in
the same line of the ledger.
"""

from wheelkeep.core.built import Built
from wheelkeep.core.found_files import claim_of
from wheelkeep.core.names import SourceName
from wheelkeep.index.imports import push
from wheelkeep.index.keep import Keep
from wheelkeep.index.receive import Kept, Refused

BY = "build"
"""Who the ledger names."""


async def publish(keep: Keep, into: SourceName, built: Built) -> Kept | Refused:
    """Durable once it is answered; the same bytes again are no second file. Raises OSError."""
    claim = claim_of(built.filename, built.sha256)
    if (known := await keep.receiver.known(into, claim)) is not None:
        return known
    if (refused := await keep.receiver.before(into, claim, by=BY, admin=True)) is not None:
        return refused
    incoming = keep.receiver.incoming(claim)
    try:
        await push(keep.blobs.path(built.sha256), incoming)
        return await keep.receiver.receive(into, claim, incoming, by=BY, admin=True, more=_told(built))
    finally:
        await incoming.close()


def _told(built: Built) -> dict[str, str]:
    """What the ledger's line says beside the file."""
    return {
        "build": built.id,
        "sdist": built.sdist.filename,
        "sdist_sha256": built.sdist.sha256,
        "sdist_source": built.sdist.source,
        "python": built.tools.python,
        "platform": built.tools.platform,
        "uv": built.tools.uv,
        "wheelkeep": built.tools.wheelkeep,
        "reproducible": built.reproducible,
    }
