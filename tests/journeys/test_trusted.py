"""Trusted publishing as CI jobs do it: uv with nothing but a job's environment, and the steps of the publish action.

uv asks over https whatever the upload address says, so TLS stands before the keep.
"""

import json
import re
import ssl
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes import issuer as fake
from fakes.ask import JSON, ask
from fakes.certificates import certificate
from fakes.clients import Client, Done, uv
from fakes.command import quickly
from fakes.front import Front
from fakes.issuer import BEARER
from fakes.publishers import Publisher
from fakes.server import Server

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]
CONFIG = """
public_url = "https://{host}"

[sources.acme]
kind = "hosted"

[[sources.acme.publishers]]
issuer = "{issuer}"
claims = {{ repository = "acme/lib", ref = {{ glob = "refs/tags/*" }} }}
projects = ["acme-by-*"]

[sources.other]
kind = "hosted"

[indexes.main]
sources = ["acme"]
publish = "acme"

[indexes.other]
sources = ["other"]
publish = "other"
"""
JOB = {
    "repository": "acme/lib",
    "repository_owner": "acme",
    "repository_owner_id": "42",
    "job_workflow_ref": "acme/lib/.github/workflows/release.yml@refs/tags/v1",
    "ref": "refs/tags/v1",
}


class World(Server):
    """A keep behind TLS, and an issuer whose jobs are its publishers."""

    front: Front
    issuer: fake.Issuer
    trust: Path

    def job(self, home: Path, index: str, folder: Path, env: dict[str, str] | None = None) -> Done:
        """A CI job that publishes with uv, given no credential at all."""
        home.mkdir(exist_ok=True)
        alone = {"SSL_CERT_FILE": str(self.trust)} | (self.issuer.environment if env is None else env)
        client = Client("uv", home, uv(home).command, env=alone)
        address = f"https://{self.front.host}/{index}/legacy/"
        files = [str(path) for path in sorted((folder / "dist").iterdir())]
        return client.run("publish", "--trusted-publishing", "always", "--publish-url", address, *files)

    def asked(self, path: str, body: Any = None) -> tuple[int, Any]:
        """What the action's own HTTP library would get."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"https://{self.front.host}{path}", data=data)
        context = ssl.create_default_context(cafile=str(self.trust))
        try:
            with urllib.request.urlopen(request, context=context) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def identity(self) -> str:
        """An identity as a step of a job fetches it."""
        _, told = self.asked("/_/oidc/audience")
        address = f"{self.issuer.environment['ACTIONS_ID_TOKEN_REQUEST_URL']}&audience={told['audience']}"
        self.issuer.claims = JOB
        return str(ask(address, Authorization=f"bearer {BEARER}").json["value"])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("trusted")
    made = certificate(folder, authority=False)
    with fake.Issuer() as issuer, Front(made) as front:
        keep = World(folder / "keep", CONFIG.format(host=front.host, issuer=issuer.url))
        keep.front, keep.issuer, keep.trust = front, issuer, folder / "certificate.pem"
        with keep as server:
            front.leads = int(server.url.rpartition(":")[2])
            yield server
            assert not re.search(r"wk_[0-9A-Za-z]{11}_|eyJ", server.log)


@pytest.fixture(scope="module")
def built(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Publisher("uv", tmp_path_factory.mktemp("built"), "").project("1.0")


def test_uv_publishes_with_nothing_but_who_it_is(world: World, built: Path, tmp_path: Path) -> None:
    world.issuer.claims = JOB | {"ref": "refs/heads/main"}
    done = world.job(tmp_path / "branch", "main", built)
    assert done.code != 0, done.said
    assert (
        "422" in done.words
        and "no publisher of this keep is what it says: ref = 'refs/heads/main'" in done.words
    )
    world.issuer.claims = JOB
    done = world.job(tmp_path / "elsewhere", "other", built)
    assert done.code != 0 and "403" in done.words and "publish:other" in done.words, done.said
    done = world.job(tmp_path / "release", "main", built)
    assert done.code == 0, done.said
    page = world.get("/main/simple/acme-by-uv/", Accept=JSON).json
    assert len(page["files"]) == 2
    reader = Client("uv", tmp_path, uv(tmp_path).command, env={"SSL_CERT_FILE": str(world.trust)})
    simple = f"https://{world.front.host}/main/simple/"
    assert reader.got(simple, tmp_path / "installed", "acme-by-uv") == {"acme-by-uv": "1.0"}


def test_uv_takes_the_token_that_another_ci_put_there(world: World, built: Path, tmp_path: Path) -> None:
    """GitLab's jobs find it in a variable named for the audience."""
    variable = re.sub(r"[^A-Z0-9]", "_", world.front.host.upper()) + "_ID_TOKEN"
    token = world.issuer.sign(JOB, audience=world.front.host)
    env = {"GITLAB_CI": "true", variable: token}
    done = world.job(tmp_path / "first", "main", built, env)
    assert done.code == 0, done.said
    done = world.job(tmp_path / "again", "main", built, env)
    assert done.code != 0 and "invalid-reuse-token" in done.said, done.said


def test_pdm_publishes_with_nothing_but_who_it_is(world: World, tmp_path: Path) -> None:
    """It asks by the upload address's own scheme, so it needs no TLS in between."""
    world.issuer.claims = JOB
    pdm = Publisher("pdm", tmp_path, f"{world.url}/main/legacy/", world.issuer.environment)
    done = pdm.publish(pdm.project("1.0"), token="")
    assert done.code == 0, done.said
    assert len(world.get("/main/simple/acme-by-pdm/", Accept=JSON).json["files"]) == 2


def test_the_publish_actions_steps(world: World) -> None:
    identity = world.identity()
    status, minted = world.asked("/_/oidc/mint-token", {"token": identity})
    assert status == 200 and minted["token"].startswith("wk_")
    status, refused = world.asked("/_/oidc/mint-token", {"token": identity})
    assert status == 422
    reasons = [f"* `{error['code']}`: {error['description']}" for error in refused["errors"]]
    assert reasons == ["* `invalid-reuse-token`: this token was used already: each is taken once"]


def test_whoever_looks_finds_who_published(world: World) -> None:
    status, _ = world.asked("/_/oidc/mint-token", {"token": world.identity()})
    assert status == 200
    listed = quickly("token", "list", "--json", cwd=world.config.parent)
    tokens = listed.json
    assert tokens and {(token["name"], token["minted"]) for token in tokens} == {("trusted:acme/lib", True)}
    assert tokens[0]["scopes"] == ["publish:acme:acme-by-*"]
