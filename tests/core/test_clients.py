"""What each client is told to write down: read back by what reads it."""

import configparser
import tomllib

import pytest

from wheelkeep.core.clients import CLIENTS, client_config

SIMPLE = "https://packages.acme.example/main/simple/"
UPLOAD = "https://packages.acme.example/main/legacy/"


def config(client: str, simple: str = SIMPLE) -> str:
    return client_config(client, simple=simple, upload=UPLOAD)


def ini(text: str) -> configparser.ConfigParser:
    read = configparser.RawConfigParser()
    read.read_string(text)
    return read  # type: ignore[return-value]


def test_pip() -> None:
    assert dict(ini(config("pip"))["global"]) == {"index-url": SIMPLE}


@pytest.mark.parametrize(
    ("simple", "trusted"),
    [
        ("http://127.0.0.1:8080/simple/", None),
        ("http://localhost:8080/simple/", None),
        ("http://[::1]:8080/simple/", None),
        ("http://packages.acme.example/simple/", "packages.acme.example"),
        ("http://packages.acme.example:8080/simple/", "packages.acme.example"),
        ("http://[fd00::1]:8080/simple/", "fd00::1"),
        ("http://localhost.acme.example/simple/", "localhost.acme.example"),
    ],
)
def test_pip_trusts_plain_http_where_it_must_be_told(simple: str, trusted: str | None) -> None:
    assert ini(config("pip", simple))["global"].get("trusted-host") == trusted


def test_uv() -> None:
    assert tomllib.loads(config("uv"))["index"] == [{"name": "wheelkeep", "url": SIMPLE, "default": True}]


def test_poetry() -> None:
    (source,) = tomllib.loads(config("poetry"))["tool"]["poetry"]["source"]
    assert source == {"name": "wheelkeep", "url": SIMPLE, "priority": "primary"}


def test_pdm_and_pipenv() -> None:
    (source,) = tomllib.loads(config("pdm"))["tool"]["pdm"]["source"]
    assert source == {"name": "pypi", "url": SIMPLE, "verify_ssl": True}
    (source,) = tomllib.loads(config("pipenv", "http://127.0.0.1:8080/simple/"))["source"]
    assert source == {"name": "wheelkeep", "url": "http://127.0.0.1:8080/simple/", "verify_ssl": False}


def test_hatch() -> None:
    variables = tomllib.loads(config("hatch"))["tool"]["hatch"]["envs"]["default"]["env-vars"]
    assert variables == {"PIP_INDEX_URL": SIMPLE, "UV_DEFAULT_INDEX": SIMPLE}


def test_twine() -> None:
    read = ini(config("twine"))
    assert read["distutils"]["index-servers"] == "wheelkeep"
    assert dict(read["wheelkeep"]) == {"repository": UPLOAD, "username": "__token__"}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_closed_index_says_where_its_token_goes(client: str) -> None:
    """In a comment, so that the rest is read as before."""
    text = client_config(client, simple=SIMPLE, upload=UPLOAD, closed=True)
    more = text.removeprefix(config(client))
    assert all(line.startswith("# ") for line in more.splitlines())
    assert ("__token__" in more) == (client != "twine")
    if client == "pip":
        assert '"machine packages.acme.example login __token__ password TOKEN"' in more


def test_every_client_has_a_text_and_no_other() -> None:
    for client in CLIENTS:
        text = config(client)
        assert text.startswith("# ")
        assert text.endswith("\n")
        assert "{" not in text
    with pytest.raises(KeyError):
        config("conda")
