"""Publishing with real tools: each builds or takes a real project, uploads it, and pip and uv install it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.ask import JSON
from fakes.clients import Client
from fakes.publishers import TOOLS, Publisher
from fakes.uploads import Publishing

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def keep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publishing]:
    with Publishing(tmp_path_factory.mktemp("keep")) as server:
        yield server
        assert server.token not in server.log


@pytest.fixture(params=TOOLS)
def publisher(request: pytest.FixtureRequest, keep: Publishing, tmp_path: Path) -> Publisher:
    """Each tool in turn."""
    (tmp_path / "publisher").mkdir()
    return Publisher(request.param, tmp_path / "publisher", f"{keep.url}/main/legacy/")


def listed(keep: Publishing, project: str, version: str) -> list[str]:
    page = keep.get(f"/main/simple/{project}/", Accept=JSON)
    return sorted(file["filename"] for file in page.json["files"] if f"-{version}" in file["filename"])


def test_what_is_published_can_be_installed(
    publisher: Publisher, keep: Publishing, new_pip: Client, uv: Client, tmp_path: Path
) -> None:
    folder = publisher.project("1.0")
    refused = publisher.publish(folder, "wk_not-a-token")
    assert refused.code != 0 and "401" in refused.said, refused.said
    assert listed(keep, publisher.name, "1.0") == []
    done = publisher.publish(folder, keep.token)
    assert done.code == 0, done.said
    module = publisher.name.replace("-", "_")
    assert listed(keep, publisher.name, "1.0") == [f"{module}-1.0-py3-none-any.whl", f"{module}-1.0.tar.gz"]
    for client in (new_pip, uv):
        got = client.got(keep.simple(), tmp_path / client.name, f"{publisher.name}==1.0")
        assert got == {publisher.name: "1.0"}


@pytest.fixture
def twine(keep: Publishing, tmp_path: Path) -> Publisher:
    return Publisher("twine", tmp_path, f"{keep.url}/main/legacy/")


def test_the_reason_of_a_refusal_is_shown(twine: Publisher, keep: Publishing) -> None:
    """What is in the body is what its user reads: twine with --verbose, uv always."""
    folder = twine.project("2.0")
    assert twine.publish(folder, keep.token).code == 0
    assert twine.publish(folder, keep.token).code == 0
    wheel = next((folder / "dist").glob("*.whl"))
    other = twine.home / "other"
    other.mkdir()
    made = Publisher("twine", other, twine.url).project("2.0", "VERSION = 2\n")
    done = twine.publish(made, keep.token, "--verbose")
    assert done.code != 0 and f"File already exists: {wheel.name}" in done.words, done.said
    done = Publisher("uv", other, twine.url).publish(made, keep.token)
    assert done.code != 0 and f"File already exists: {wheel.name}" in done.words, done.said
    narrow = keep.make_token("publish:acme:acme-x-*")
    done = Publisher("uv", other, twine.url).publish(made, narrow)
    assert done.code != 0 and f"this needs a token with the scope publish:acme:{twine.name}" in done.words


def test_uv_skips_what_is_there(keep: Publishing, tmp_path: Path) -> None:
    uv = Publisher("uv", tmp_path, f"{keep.url}/main/legacy/")
    folder = uv.project("3.0")
    for path in (folder / "dist").glob("*.whl"):
        path.rename(folder / path.name)
    assert uv.publish(folder, keep.token).code == 0
    for path in folder.glob("*.whl"):
        path.rename(folder / "dist" / path.name)
    done = uv.publish(folder, keep.token, "--check-url", keep.simple())
    assert done.code == 0 and "already exists, skipping" in done.words, done.said
    assert len(listed(keep, uv.name, "3.0")) == 2
