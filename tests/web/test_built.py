"""What is stated of a wheel that was built here is read as the wheel is: by whoever may read an index that shows it."""

import hashlib
import json
from pathlib import Path

import msgspec

from fakes.api import Managed
from fakes.builds import KEY, built
from fakes.dists import wheel
from fakes.received import give
from wheelkeep.core.built import Built
from wheelkeep.core.names import IndexName, SourceName
from wheelkeep.core.statement import Envelope, sign, verify, write_statement

NAME, CONTENT = wheel("demo", "1.0")
SUM = hashlib.sha256(CONTENT).hexdigest()


async def stand(api: Managed, index: str, source: str = "stage") -> Built:
    """A wheel of a source, built through an index."""
    made = built(index=IndexName(index), filename=NAME, sha256=SUM)
    await give(api.keep, SourceName(source), NAME, CONTENT)
    await api.keep.builds.add(made, sign(write_statement(made, KEY.public), KEY))
    return made


async def test_it_is_read_with_the_index(tmp_path: Path) -> None:
    async with Managed(tmp_path) as api:
        await stand(api, "open")
        reply = await api.get(f"/open/built/demo/{SUM}/{NAME}")
        assert reply.status == 200
        told = verify(msgspec.json.decode(reply.body, type=Envelope), KEY.public)
        assert told["subject"][0]["digest"]["sha256"] == SUM
        etag = reply.headers["etag"]
        assert (await api.get(f"/open/built/demo/{SUM}/{NAME}", if_none_match=etag)).status == 304
        page = await api.get("/open/project/demo/", accept="text/html")
        assert f'<a href="../../built/demo/{SUM}/{NAME}">built here</a>'.encode() in page.body
        listed = await api.call("GET", "/indexes/open/builds?project=Demo", by="approver")
        (one,) = listed.json["items"]
        assert (one["filename"], one["reproducible"]) == (NAME, "untold")
        assert one["statement"] == json.loads(reply.body)
        assert (await api.call("GET", "/indexes/open/builds?project=-")).status == 400
        assert (await api.call("GET", "/indexes/nothing/builds?project=demo")).status == 404


async def test_what_no_page_shows_has_no_statement(tmp_path: Path) -> None:
    async with Managed(tmp_path) as api:
        await stand(api, "open")
        for path in (
            f"/open/built/demo/{'0' * 64}/{NAME}",
            f"/open/built/demo/{SUM}/demo-2.0-py3-none-any.whl",
            f"/open/built/other/{SUM}/{NAME}",
            f"/open/built/nothing/{SUM}/nothing-1.0.tar.gz",
            f"/open/built/demo/{SUM}",
            "/open/built/",
        ):
            assert (await api.get(path)).status == 404


async def test_a_closed_index_is_not_told_of_by_an_open_one(tmp_path: Path) -> None:
    async with Managed(tmp_path) as api:
        await stand(api, "main", "acme")
        assert (await api.get(f"/open/built/demo/{SUM}/{NAME}")).status == 404
        assert (await api.call("GET", "/indexes/open/builds?project=demo", by="approver")).json["items"] == []
        page = await api.get("/open/project/demo/", accept="text/html")
        assert b"built here" not in page.body
        token = f"Bearer {api.tokens['reader']}"
        assert (await api.get(f"/main/built/demo/{SUM}/{NAME}")).status == 401
        assert (await api.get(f"/main/built/demo/{SUM}/{NAME}", authorization=token)).status == 200
        assert (
            len((await api.call("GET", "/indexes/main/builds?project=demo", by="reader")).json["items"]) == 1
        )
