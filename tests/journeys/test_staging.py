"""A release is staged, tried with real installers, lost power over, and published: whole, or not at all."""

import threading
from pathlib import Path

import pytest

from fakes.ask import JSON
from fakes.clients import Client
from fakes.dists import sdist, wheel
from fakes.outside import Outside
from fakes.staging import Staged, Staging

pytestmark = pytest.mark.journey

CONFIG = """
experimental = ["upload-2.0"]

[sources.acme]
kind = "hosted"
names = ["acme-*"]

[sources.outer]
kind = "remote"
url = "{url}"

[indexes.main]
sources = ["acme", "outer"]
publish = "acme"
"""


def listed(server: Staging, project: str) -> list[str]:
    page = server.get(f"/main/simple/{project}/", Accept=JSON).json
    return [file["filename"] for file in page["files"]]


def test_tried_before_it_is_published(new_pip: Client, uv: Client, outside: Outside, tmp_path: Path) -> None:
    outside.add(*wheel("demo", "1.0"))
    with Staging(tmp_path / "keep", CONFIG.format(url=outside.url)) as server:
        server.publish("acme-app", "1.0", *wheel("acme-app", "1.0"))
        session = server.open("acme-app", "2.0")
        session.add(*wheel("acme-app", "2.0", requires=["demo"]))
        session.add(*sdist("acme-app", "2.0"))
        stage = session.links["stage"]
        for client in (new_pip, uv):
            said = f"{client.name}-"
            got = client.got(server.simple(), tmp_path / f"{said}before", "acme-app")
            assert got == {"acme-app": "1.0"}
            got = client.got(stage, tmp_path / f"{said}staged", "acme-app")
            assert got == {"acme-app": "2.0", "demo": "1.0"}
            extra = ("--extra-index-url", stage, "acme-app==2.0")
            # uv takes a name from the first index that has it, unless it is told otherwise.
            extra = extra if client.is_pip else ("--index-strategy", "unsafe-best-match", *extra)
            assert client.got(server.simple(), tmp_path / f"{said}extra", *extra)["acme-app"] == "2.0"
        assert session.publish().status == 201
        for client in (new_pip, uv):
            got = client.got(server.simple(), tmp_path / f"{client.name}-after", "acme-app")
            assert got == {"acme-app": "2.0", "demo": "1.0"}
        assert new_pip.install(stage, tmp_path / "over", "acme-app").code != 0


def test_power_is_lost_between_upload_and_publishing(
    new_pip: Client, outside: Outside, tmp_path: Path
) -> None:
    server = Staging(tmp_path / "keep", CONFIG.format(url=outside.url))
    server.start()
    try:
        session = server.open("acme-app", "1.0")
        session.add(*wheel("acme-app", "1.0"))
        filename, content = sdist("acme-app", "1.0")
        announced = session.announce(filename, content)
        assert session.send(announced, content).status == 204
        server.kill()
        server.start()
        assert listed(server, "acme-app") == [] and server.blobs() == {}
        told = session.status()
        assert {name: file["status"] for name, file in told["files"].items()} == {
            "acme_app-1.0-py3-none-any.whl": "completed",
            filename: "pending",
        }
        assert session.complete(announced).status == 201
        got = new_pip.got(session.links["stage"], tmp_path / "staged", "acme-app")
        assert got == {"acme-app": "1.0"}
        server.kill()
        server.start()
        assert session.publish().status == 201
        server.kill()
        server.start()
        assert len(listed(server, "acme-app")) == 2 and server.staged_bytes() == []
        assert new_pip.got(server.simple(), tmp_path / "after", "acme-app") == {"acme-app": "1.0"}
        server.stop()
    finally:
        server.kill()


def test_power_is_lost_while_releases_are_published(tmp_path: Path, outside: Outside) -> None:
    """Of every release all files are there or none, and those that were told to be published are."""
    server = Staging(tmp_path / "keep", CONFIG.format(url=outside.url), options=("--workers", "2"))
    server.start()
    try:
        sessions = [ready(server, number) for number in range(9)]
        acknowledged: list[int] = []

        def publish(numbers: range) -> None:
            for number in numbers:
                try:
                    if sessions[number].publish().status == 201:
                        acknowledged.append(number)
                except OSError:
                    return
                if len(acknowledged) == 4:
                    server.kill()

        hands = [threading.Thread(target=publish, args=(range(first, 9, 3),)) for first in range(3)]
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join()
        server.start()
        shown = listed(server, "acme-app")
        for number, session in enumerate(sessions):
            here = [name for name in shown if name.startswith(f"acme_app-{number}.0")]
            state = session.status()["status"]
            assert len(here) == (2 if state == "published" else 0)
            assert state == "published" or number not in acknowledged
            if state == "open":
                assert session.publish().status == 201
        assert len(listed(server, "acme-app")) == 18 and server.staged_bytes() == []
        server.stop()
    finally:
        server.kill()


def ready(server: Staging, number: int) -> Staged:
    session = server.open("acme-app", f"{number}.0")
    session.add(*wheel("acme-app", f"{number}.0"))
    session.add(*sdist("acme-app", f"{number}.0"))
    return session
