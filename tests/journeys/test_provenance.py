"""Attestations with real clients: what is attested as before is taken, what is not is passed over and says why."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from fakes.ask import ask
from fakes.attesters import authority
from fakes.clients import Client
from fakes.command import wheelkeep
from fakes.dists import metadata, wheel
from fakes.outside import Outside
from fakes.server import Server

pytestmark = pytest.mark.journey

CONFIG = """
trust_roots = ["trusted_root.json"]

[sources.outer]
kind = "remote"
url = "{url}"

[indexes.main]
sources = ["outer"]
policy = "policy.toml"
"""
POLICY = """
[provenance]
required = ["needy"]
ratchet = true

[[waiver]]
package = "lifted==2.0"
gates = ["provenance"]
reason = "we built it ourselves"
by = "security@acme.example"
until = 2999-12-31
"""
RELEASES: dict[str, dict[str, str | None]] = {
    "steady": {"1.0": "acme/steady", "2.0": "acme/steady"},
    "dropped": {"1.0": "acme/dropped", "2.0": None},
    "taken": {"1.0": "acme/taken", "2.0": "evil/taken"},
    "needy": {"1.0": "acme/needy", "2.0": None},
    "plain": {"1.0": None, "2.0": None},
    "lifted": {"1.0": "acme/lifted", "2.0": None},
    "forged": {"1.0": "acme/forged", "2.0": "acme/forged"},
}


@pytest.fixture(scope="module")
def world() -> Iterator[Outside]:
    with Outside() as outside:
        for name, releases in RELEASES.items():
            for version, repository in releases.items():
                filename, content = wheel(name, version)
                signed = b"other bytes" if (name, version) == ("forged", "2.0") else content
                proof = None
                if repository is not None:
                    claim = {"kind": "GitHub", "repository": repository, "workflow": "release.yml"}
                    proof = authority().provenance(filename, signed, repository=repository, claim=claim)
                day = datetime(2026, 2, int(version[0]))
                outside.add(
                    filename,
                    content,
                    metadata=metadata(name, version).encode(),
                    provenance=proof,
                    upload_time=f"{day:%Y-%m-%dT%H:%M:%SZ}",
                )
        yield outside


@pytest.fixture(scope="module")
def server(world: Outside, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("keep")
    (folder / "policy.toml").write_text(POLICY)
    authority().root(folder / "trusted_root.json")
    with Server(folder, CONFIG.format(url=world.url)) as server:
        yield server


def test_what_is_attested_as_before_is_taken(installer: Client, server: Server, tmp_path: Path) -> None:
    found = installer.got(server.simple(), tmp_path / "into", *RELEASES)
    newest = dict.fromkeys(("steady", "plain", "lifted"), "2.0")
    assert found == dict.fromkeys(RELEASES, "1.0") | newest


@pytest.mark.parametrize(
    ("name", "words", "says"),
    [
        (
            "dropped",
            "it-carries-no-attestation-where-version-1.0-before-it-carried-one-by-GitHub-acme-dropped",
            "it carries no attestation, where version 1.0 before it carried one by GitHub acme/dropped",
        ),
        (
            "taken",
            "published-by-GitHub-evil-taken-where-version-1.0-was-published-by-GitHub-acme-taken",
            "published by GitHub evil/taken, where version 1.0 was published by GitHub acme/taken",
        ),
        (
            "needy",
            "it-carries-no-attestation-which-the-policy-requires-of-needy",
            'it carries no attestation, which the policy requires of "needy"',
        ),
        (
            "forged",
            "its-attestation-is-false-it-speaks-of-another-file-or-of-other-bytes",
            "its attestation is false: it speaks of another file, or of other bytes",
        ),
    ],
)
def test_the_lines_that_clients_print(
    new_pip: Client, uv: Client, server: Server, tmp_path: Path, name: str, words: str, says: str
) -> None:
    done = new_pip.install(server.simple(), tmp_path / "pip", f"{name}==2.0")
    assert done.code != 0
    assert f"{server.url}/main/blocked/provenance/{words}/{name}-2.0-py3-none-any.whl" in done.said
    done = uv.install(server.simple(), tmp_path / "uv", f"{name}==2.0")
    assert done.code != 0
    assert f"wheelkeep: provenance: {says}" in done.words


def test_every_address_decides_alike(server: Server) -> None:
    name, _ = wheel("taken", "2.0")
    for address in (f"/main/files/taken/-/{name}", f"/main/blocked/provenance/x/{name}"):
        assert ask(f"{server.url}{address}").status in (302, 403)
    release = ask(f"{server.url}/main/pypi/taken/json").json
    assert release["info"]["version"] == "1.0"
    (shown,) = release["releases"]["2.0"]
    assert shown["yanked"] and "evil/taken" in shown["yanked_reason"]
    told = wheelkeep("explain", "taken", "--json", cwd=server.folder)
    files = json.loads(told.out)["files"]
    assert [(one["version"], one["verdict"]) for one in files] == [("2.0", "held"), ("1.0", "admitted")]
