"""Files given to a hosted source of a keep in this process, as an upload would bring them."""

import hashlib

from wheelkeep.core import names
from wheelkeep.core.names import SourceName
from wheelkeep.core.upload_rules import read_form
from wheelkeep.index.keep import Keep
from wheelkeep.index.receive import Kept, Refused


async def give(keep: Keep, source: SourceName, filename: str, content: bytes) -> Kept | Refused:
    """Uploads one file that has a sensible name; gives what came of it."""
    owner = names.owner_of(filename)
    assert owner is not None
    told = names.filename(filename, owner)
    form = {
        ":action": "file_upload",
        "protocol_version": "1",
        "metadata_version": "2.1",
        "filetype": "bdist_wheel" if told.kind == "wheel" else "sdist",
        "pyversion": "py3" if told.kind == "wheel" else "source",
        "name": owner,
        "version": told.version,
        "sha256_digest": hashlib.sha256(content).hexdigest(),
    }
    claim = read_form({field: [value] for field, value in form.items()}, filename)
    incoming = keep.receiver.incoming(claim)
    try:
        await incoming.push(content)
        return await keep.receiver.receive(source, claim, incoming, by="ci")
    finally:
        await incoming.close()
