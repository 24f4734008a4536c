"""The management API as an operator's script calls it, beside a real installer: one request yanks a release."""

from pathlib import Path

import pytest

from fakes.ask import ask
from fakes.clients import Client
from fakes.dists import wheel
from fakes.uploads import CONFIG, Publishing, basic

pytestmark = pytest.mark.journey


def test_a_yank_by_one_request_and_pip_passes_the_release_over(new_pip: Client, tmp_path: Path) -> None:
    with Publishing(tmp_path / "keep", CONFIG, options=("--workers", "2")) as server:
        for version in ("1.0", "2.0"):
            assert server.publish("lib", version, *wheel("lib", version)).status == 200
        simple = server.simple("main")
        assert new_pip.got(simple, tmp_path / "1", "lib") == {"lib": "2.0"}
        done = ask(
            f"{server.url}/api/v1/sources/acme/projects/lib/yank",
            "POST",
            body=b'{"versions": "2.0", "reason": "loses the last row"}',
            Content_Type="application/json",
            Authorization=basic(server.token),
        )
        assert (done.status, done.json["files"]) == (200, ["lib-2.0-py3-none-any.whl"])
        assert new_pip.got(simple, tmp_path / "2", "lib") == {"lib": "1.0"}
