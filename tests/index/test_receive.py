"""Receiving: an upload becomes a file whole, once, and on the record; or nothing of it is there."""

import asyncio
import base64
import hashlib
import json
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import update

from fakes import attesters
from fakes.dists import sdist, wheel
from fakes.stores import Store
from fakes.uploads import fields
from wheelkeep.core.model import File
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.offer import Reservations, Selection
from wheelkeep.core.upload_rules import Claim, read_form
from wheelkeep.index.receive import Kept, Receiver, Refused
from wheelkeep.sources.verifier import Verifier
from wheelkeep.store.blobs import Filling
from wheelkeep.store.tables import hosted_files
from wheelkeep.store.uploads import PROVENANCE

ACME, LIB = SourceName("acme"), ProjectName("lib")


class Taking:
    """A receiver over a store, and what it told of."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.changed: list[str] = []
        self.receiver = Receiver(
            blobs=store.blobs,
            soundness=store.soundness,
            uploads=store.uploads,
            reservations=Reservations([(SourceName("other"), ["other-*"]), (ACME, ["acme-*"])]),
            selections={ACME: Selection(None, ["unwanted", "lib==6.*"])},
            verifier=Verifier([attesters.authority().root(store.data / "trusted_root.json")]),
            changed=self.changed.append,
        )

    def claim(
        self, filename: str, content: bytes, name: str = "lib", version: str = "1.0", **more: str
    ) -> Claim:
        told = fields(name, version, filename, content, **more)
        return read_form({field: [value] for field, value in told}, filename)

    async def take(self, filename: str, content: bytes, **told: str) -> Kept | Refused:
        claim = self.claim(filename, content, **told)
        incoming = self.receiver.incoming(claim)
        try:
            for at in range(0, len(content), 100):
                await incoming.push(content[at : at + 100])
            return await self.receiver.receive(ACME, claim, incoming, by="ci")
        finally:
            await incoming.close()

    async def files(self, project: str = "lib") -> list[File]:
        return await self.store.facts.hosted(ACME, ProjectName(project)) or []

    @property
    def clean(self) -> bool:
        """Nothing half-done lies about."""
        return not list((self.store.data / "tmp").glob("*.part"))


@pytest_asyncio.fixture
async def taking(store: Store) -> AsyncIterator[Taking]:
    made = Taking(store)
    yield made
    made.receiver.close()
    assert made.clean


async def test_a_good_upload(taking: Taking) -> None:
    before = datetime.now(UTC)
    filename, content = wheel("lib", "1.0", requires_python=">=3.8")
    sha256 = hashlib.sha256(content).hexdigest()
    assert await taking.take(filename, content) == Kept(filename, sha256, new=True)
    (file,) = await taking.files()
    assert (file.filename, file.project, file.version, file.kind) == (filename, "lib", "1.0", "wheel")
    assert (file.source, file.sha256, file.size) == ("acme", sha256, len(content))
    assert file.requires_python == ">=3.8"
    assert file.first_seen is not None and before <= file.first_seen <= datetime.now(UTC)
    assert file.upload_time == f"{file.first_seen:%Y-%m-%dT%H:%M:%S.%fZ}"
    assert taking.store.blobs.path(sha256).read_bytes() == content
    known = await taking.store.facts.metadata(ACME, filename)
    assert known is not None and known.own and known.sha256 == file.metadata
    assert known.body.startswith(b"Metadata-Version: 2.1\nName: lib\n")
    (entry,) = await taking.store.ledger.last("published")
    assert (entry.source, entry.project, entry.filename, entry.at) == (
        "acme",
        "lib",
        filename,
        file.first_seen,
    )
    assert entry.detail == {"by": "ci", "version": "1.0", "sha256": sha256, "size": len(content)}
    assert taking.changed == ["lib"]


async def test_the_same_again_changes_nothing(taking: Taking) -> None:
    filename, content = sdist("lib", "1.0")
    await taking.take(filename, content)
    before = await taking.files()
    assert await taking.take(filename, content) == Kept(
        filename, hashlib.sha256(content).hexdigest(), new=False
    )
    assert await taking.files() == before
    assert len(await taking.store.ledger.last("published")) == 1
    assert taking.changed == ["lib"]


async def test_bytes_that_were_lost_come_back_by_sending_them_again(taking: Taking) -> None:
    filename, content = wheel("lib", "1.0")
    kept = await taking.take(filename, content)
    assert isinstance(kept, Kept)
    taking.store.blobs.path(kept.sha256).unlink()
    again = await taking.take(filename, content)
    assert isinstance(again, Kept) and not again.new
    assert taking.store.blobs.path(kept.sha256).read_bytes() == content


async def test_bytes_that_were_damaged_come_back_by_sending_them_again(taking: Taking) -> None:
    filename, content = wheel("lib", "1.0")
    kept = await taking.take(filename, content)
    assert isinstance(kept, Kept)
    path = taking.store.blobs.path(kept.sha256)
    path.chmod(0o644)
    path.write_bytes(b"X" + content[1:])
    assert await taking.receiver.known(ACME, taking.claim(filename, content)) is None
    assert await taking.take(filename, content) == Kept(filename, kept.sha256, new=False)
    assert path.read_bytes() == content


async def test_a_used_name_gets_no_other_bytes(taking: Taking) -> None:
    filename, content = wheel("lib", "1.0")
    await taking.take(filename, content)
    before = await taking.files()
    _, other = wheel("lib", "1.0", files={"a.py": b""})
    for spelt in (filename, "Lib-1.0-py3-none-any.whl"):
        refused = await taking.take(spelt, other)
        assert isinstance(refused, Refused) and refused.why == "taken"
        assert refused.problems[0].startswith(f"File already exists: {filename} is here")
    assert await taking.files() == before
    assert not taking.store.blobs.has(hashlib.sha256(other).hexdigest())


async def test_a_name_is_not_free_after_deletion_either(taking: Taking) -> None:
    filename, content = wheel("lib", "1.0")
    await taking.take(filename, content)
    async with taking.store.database.write() as connection:
        await connection.execute(update(hosted_files).values(file=None))
    for body in (content, wheel("lib", "1.0", files={"a.py": b""})[1]):
        refused = await taking.take(filename, body)
        assert isinstance(refused, Refused) and refused.why == "taken"
        assert "was removed; its name is never used again" in refused.problems[0]
    assert await taking.files() == []


async def test_all_that_is_wrong_is_told_together(taking: Taking) -> None:
    filename, content = "lib-1.0-py3-none-any.whl", wheel("bil", "1.0")[1]
    told = {"protocol_version": "2", "md5_digest": "0" * 32, "attestations": "x", "pyversion": ""}
    refused = await taking.take(filename, content, **told)
    assert isinstance(refused, Refused) and refused.why == "wrong"
    starts = [says.split(" ")[0].rstrip(":") for says in refused.problems]
    assert starts == ["protocol_version", "pyversion", "md5_digest", filename, "attestations"]
    assert await taking.files() == [] and taking.changed == []
    assert not taking.store.blobs.has(hashlib.sha256(content).hexdigest())
    assert await taking.store.ledger.last("published") == []


async def test_metadata_and_digests_count(taking: Taking) -> None:
    filename, content = sdist("lib", "1.0", requires_python="three")
    refused = await taking.take(filename, content)
    assert isinstance(refused, Refused)
    assert refused.problems == ('Requires-Python in PKG-INFO is "three", which is no version specifier',)
    good = {
        "md5_digest": hashlib.md5,
        "blake2_256_digest": lambda data: hashlib.blake2b(data, digest_size=32),
    }
    filename, content = wheel("lib", "1.0")
    stated = {name: make(content).hexdigest() for name, make in good.items()}
    for name in good:
        wrong = stated | {name: "0" * len(stated[name])}
        refused = await taking.take(filename, content, **wrong)
        assert isinstance(refused, Refused) and refused.problems[0].startswith(f"{name} is 000")
    assert isinstance(await taking.take(filename, content, **stated), Kept)


async def test_what_can_be_told_before_the_bytes(taking: Taking) -> None:
    receiver = taking.receiver
    filename, content = wheel("lib", "1.0")
    assert await receiver.before(ACME, taking.claim(filename, content), by="ci") is None
    await taking.take(filename, content)
    assert await receiver.before(ACME, taking.claim(filename, content), by="ci") is None
    other = taking.claim(filename, b"other")
    refused = await receiver.before(ACME, other, by="ci")
    assert refused is not None and refused.why == "taken"
    unstated = taking.claim(filename, b"other", sha256_digest="")
    assert await receiver.before(ACME, unstated, by="ci") is None
    refused = await receiver.before(ACME, taking.claim("other_x-1.0.tar.gz", b"", name="other-x"), by="ci")
    assert refused == Refused("elsewhere", ("the name other-x is reserved for the source other",))
    refused = await receiver.before(ACME, taking.claim("unwanted-1.0.tar.gz", b"", name="unwanted"), by="ci")
    assert refused is not None and refused.why == "elsewhere"


async def test_names_that_belong_elsewhere(taking: Taking) -> None:
    for name, version in (("other-x", "1.0"), ("unwanted", "1.0"), ("lib", "6.1")):
        refused = await taking.take(*wheel(name, version), name=name, version=version)
        assert isinstance(refused, Refused) and refused.why == "elsewhere"
        assert await taking.files(name) == []
    assert isinstance(await taking.take(*wheel("acme-x", "1.0"), name="acme-x"), Kept)


async def provenance(taking: Taking, filename: str) -> dict[str, Any]:
    kept = await taking.store.facts.document(ACME, PROVENANCE, filename)
    assert kept is not None
    return dict(json.loads(kept[0]))


async def test_attestations_are_verified_and_kept_with_who_signed(taking: Taking) -> None:
    filename, content = wheel("lib", "1.0")
    given = attested(filename, content)
    refused = await taking.take(filename, content, attestations=attested(filename, b"other"))
    assert isinstance(refused, Refused) and "speaks of another file, or of other bytes" in refused.problems[0]
    assert isinstance(await taking.take(filename, content, attestations=given), Kept)
    (file,) = await taking.files()
    assert file.provenance is not None
    (bundle,) = (await provenance(taking, filename))["attestation_bundles"]
    assert bundle["attestations"] == json.loads(given)
    assert (bundle["publisher"]["kind"], bundle["publisher"]["repository"]) == ("GitHub", "acme/demo")
    (entry,) = await taking.store.ledger.last("published")
    assert entry.detail["attested"] == "GitHub acme/demo"


async def test_false_attestations_refuse_the_upload(taking: Taking) -> None:
    filename, content = wheel("lib", "1.0")
    (told,) = json.loads(attested(filename, content))
    told["envelope"]["signature"] = base64.b64encode(b"signed").decode()
    refused = await taking.take(filename, content, attestations=json.dumps([told]))
    assert isinstance(refused, Refused)
    assert refused.problems == ("attestation 1 is false: its signature is not by its certificate",)
    assert await taking.files() == []


async def test_attestations_of_an_authority_that_nobody_knows_are_kept_as_not_verified(
    taking: Taking,
) -> None:
    filename, content = wheel("lib", "1.0")
    given = attested(filename, content, attesters.Authority())
    assert isinstance(await taking.take(filename, content, attestations=given), Kept)
    (bundle,) = (await provenance(taking, filename))["attestation_bundles"]
    assert bundle == {
        "publisher": {"kind": "unverified", "claims": None},
        "attestations": json.loads(given),
    }
    (entry,) = await taking.store.ledger.last("published")
    assert entry.detail["attested"] == "not verified"


async def test_attestations_are_kept_where_nothing_can_be_verified(
    taking: Taking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wheelkeep.sources.signatures", None)
    filename, content = wheel("lib", "1.0")
    assert isinstance(await taking.take(filename, content, attestations=attested(filename, content)), Kept)
    (bundle,) = (await provenance(taking, filename))["attestation_bundles"]
    assert bundle["publisher"]["kind"] == "unverified"


def attested(filename: str, content: bytes, authority: attesters.Authority | None = None) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    return json.dumps([(authority or attesters.authority()).attestation(filename, sha256)])


async def test_of_many_at_once_one_wins(taking: Taking) -> None:
    filename, _ = wheel("lib", "1.0")
    bodies = [wheel("lib", "1.0", files={"a.py": b"%d" % number})[1] for number in range(6)]
    came = await asyncio.gather(*(taking.take(filename, body) for body in bodies))
    (winner,) = [body for body, outcome in zip(bodies, came, strict=True) if isinstance(outcome, Kept)]
    (file,) = await taking.files()
    assert file.sha256 == hashlib.sha256(winner).hexdigest()
    assert taking.store.blobs.path(file.sha256).read_bytes() == winner


async def test_a_disk_that_is_full(taking: Taking, monkeypatch: pytest.MonkeyPatch) -> None:
    filename, content = wheel("lib", "1.0")

    def full(self: Filling, piece: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Filling, "write", full)
    with pytest.raises(OSError, match="No space left"):
        await taking.take(filename, content)
    assert taking.clean and await taking.files() == []
    monkeypatch.undo()
    monkeypatch.setattr(Filling, "_put", full)
    with pytest.raises(OSError, match="No space left"):
        await taking.take(filename, content)
    assert taking.clean and await taking.files() == []
    monkeypatch.undo()
    assert isinstance(await taking.take(filename, content), Kept)
