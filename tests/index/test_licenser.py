"""Learning licences: a version at a time, from a wheel's metadata or the source's JSON, and never by guessing."""

import asyncio
import hashlib
import io
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from fakes.dists import sdist
from fakes.indexes import Pointed
from fakes.made import DEMO, file, found
from fakes.stores import Store
from wheelkeep.core.errors import Unanswered
from wheelkeep.core.model import File
from wheelkeep.index import licenser
from wheelkeep.index.fetch import Fetcher
from wheelkeep.index.metadata import MetadataKeeper
from wheelkeep.index.view import View
from wheelkeep.store.facts import KnownMetadata
from wheelkeep.store.sdists import read_info


class Licensed(Pointed):
    """An index that allows MIT alone."""

    def __init__(self, store: Store, folder: Path) -> None:
        (folder / "policy.toml").write_text('[licences]\nallow = ["MIT"]\n')
        super().__init__(store, policy=folder / "policy.toml")
        self.fetcher = Fetcher(store.blobs, store.soundness, arrived=self._arrived, incident=lambda *_: None)
        self.licenser.metadata = MetadataKeeper(
            store.facts, lambda: self.fetcher, changed=self.index.forget, incident=lambda *_: None
        )

    async def _arrived(self, *_: object, kept: bool) -> None: ...

    def tells(self, one: File, licence: str) -> File:
        self.pypi.told[one.filename] = (
            f"Name: demo\nVersion: {one.version}\nLicense-Expression: {licence}\n".encode()
        )
        return one

    async def codes(self, **patience: float) -> dict[str, str]:
        view = await self.view(**patience)
        return {
            one.filename.removeprefix("demo-").removesuffix("-py3-none-any.whl"): next(
                verdict.code for verdict in decision.verdicts if verdict.gate == "licences"
            )
            for one, decision in view.by_name.values()
        }


def wheel(version: str) -> File:
    return file(f"demo-{version}-py3-none-any.whl", metadata=True)


@pytest_asyncio.fixture
async def made(store: Store, tmp_path: Path) -> AsyncIterator[Licensed]:
    pointed = Licensed(store, tmp_path)
    yield pointed
    await pointed.licenser.close()
    await pointed.attestor.close()
    await pointed.fetcher.close(1)


async def test_wheels_tell_and_sdists_go_by_them_or_by_the_json(made: Licensed) -> None:
    files = [made.tells(wheel("1.0"), "MIT"), made.tells(wheel("2.0"), "GPL-3.0-only")]
    sdists = [file(f"demo-{version}.tar.gz") for version in ("1.0", "3.0", "4.0", "5.0")]
    info = {"license_expression": None, "classifiers": ["License :: OSI Approved :: MIT License"]}
    made.pypi.documents["demo/3.0"] = json.dumps({"info": info}).encode()
    made.pypi.documents["demo/4.0"] = b'{"info": 5}'
    made.pypi.says(found("pypi", *files, *sdists))
    expected = {
        "1.0": "licences-allowed",
        "1.0.tar.gz": "licences-allowed",
        "2.0": "licences-not-allowed",
        "3.0.tar.gz": "licences-allowed",
        "4.0.tar.gz": "licences-unknown",
        "5.0.tar.gz": "licences-unclear",
    }
    assert await made.codes() == expected
    made.pypi.broken = Unanswered("it is away")
    made.index.forget(DEMO)
    assert await made.codes() == expected


async def test_what_cannot_be_had_blocks_and_is_asked_for_again(
    made: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.pypi.says(found("pypi", made.tells(wheel("1.0"), "MIT")))
    made.pypi.broken = Unanswered("it is away")
    assert await made.codes() == {"1.0": "licences-unknown"}
    view = await made.view()
    against = view.by_name["demo-1.0-py3-none-any.whl"][1].against
    assert against is not None and "it is away" in against.sentence and against.until is not None
    made.pypi.broken = None
    monkeypatch.setattr(licenser, "_PAUSE", timedelta(0))
    made.licenser._troubles.clear()
    made.index.forget(DEMO)
    assert await made.codes() == {"1.0": "licences-allowed"}


async def test_a_file_that_is_asked_for_is_decided_at_once(made: Licensed) -> None:
    gate = asyncio.Event()
    given, tell = made.pypi.told, made.pypi.metadata

    async def metadata(one: File) -> bytes | None:
        if one.version != "2.0":
            await gate.wait()
        return await tell(one)

    made.pypi.metadata = metadata  # type: ignore[method-assign]
    files = [made.tells(wheel(f"{number}.0"), "MIT") for number in range(1, 4)]
    assert len(given) == 3
    made.pypi.says(found("pypi", *files))
    assert set((await made.codes(patience=0)).values()) == {"licences-pending"}
    view = await made.index.decided(DEMO, files[1].filename)
    assert isinstance(view, View)
    assert [view.by_name[one.filename][1].admitted for one in files] == [False, True, False]
    gate.set()
    await asyncio.gather(*made.licenser._jobs.values())
    assert set((await made.codes()).values()) == {"licences-allowed"}


async def test_an_sdist_whose_own_metadata_is_kept_tells_by_that(made: Licensed, store: Store) -> None:
    """As of those that were uploaded here: their source has no JSON beside them."""
    one = file("demo-6.0.tar.gz")
    body = b"Name: demo\nLicense-Expression: MIT\n"
    await store.facts.learn_metadata(one, KnownMetadata(hashlib.sha256(body).hexdigest(), body, own=True))
    name, content = sdist("demo", "8.0", told="License-Expression: MIT\n")
    here = file(name, sha256=await store.keep(content))
    broken = file("demo-9.0.tar.gz", sha256=await store.keep(b"no archive"))
    made.pypi.says(found("pypi", one, file("demo-7.0.tar.gz"), here, broken))
    assert await made.codes() == {
        "6.0.tar.gz": "licences-allowed",
        "7.0.tar.gz": "licences-unclear",
        "8.0.tar.gz": "licences-allowed",
        "9.0.tar.gz": "licences-unclear",
    }
    # Read once.
    assert await store.facts.metadata_hashes(here.source, DEMO) == {
        one.filename: hashlib.sha256(body).hexdigest(),
        name: hashlib.sha256(read_info(io.BytesIO(content))).hexdigest(),
        broken.filename: "",
    }
