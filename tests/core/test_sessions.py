"""Sessions: what requests about them must say, and how long they live."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from wheelkeep.core.access import Caller, read_scope
from wheelkeep.core.names import ProjectName
from wheelkeep.core.sessions import (
    BadRequest,
    NewFile,
    NewSession,
    extended,
    may_use,
    read_action,
    read_extension,
    read_new_file,
    read_new_session,
    until,
)

NOW = datetime(2026, 7, 29, 12, 0, 0, 999_999, tzinfo=UTC)
RELEASE = NewSession(ProjectName("acme-lib"), "1.0")
SHA256 = "ab" * 32


def said(meta: object = None, **told: Any) -> bytes:
    return json.dumps({"meta": {"api-version": "2.0"} if meta is None else meta, **told}).encode()


def problems(error: pytest.ExceptionInfo[BadRequest]) -> list[str]:
    return [about for about, _ in error.value.problems]


def test_a_new_session_in_normal_form() -> None:
    assert read_new_session(said(name="Acme._.Lib", version="v1.0-RC1")) == NewSession(
        ProjectName("acme-lib"), "1.0rc1"
    )
    # What an index may define for itself is passed over (PEP 694, "Optional Index-specific Metadata").
    meta = {"api-version": "2.0", "_else.where": {"organization": "x"}}
    assert read_new_session(said(meta, name="acme-lib", version="1.0", more=1)) == RELEASE


@pytest.mark.parametrize(
    ("body", "about"),
    [
        (b"", ["body"]),
        (b"[]", ["body"]),
        (b"[" * 100_000, ["body"]),
        (b'{"name": "a", "version": "1"}', ["meta"]),
        (said([], name="a", version="1"), ["meta"]),
        (said({"api-version": "2.1"}, name="a", version="1"), ["meta"]),
        (said({"api-version": 2.0}, name="a", version="1"), ["meta"]),
        (said(), ["name", "version"]),
        (said(name=1, version=None), ["name", "version"]),
        (said(name="-a", version="one"), ["name", "version"]),
    ],
)
def test_sessions_that_cannot_be_read(body: bytes, about: list[str]) -> None:
    with pytest.raises(BadRequest) as error:
        read_new_session(body)
    assert problems(error) == about


def a_file(**other: Any) -> bytes:
    told = {"filename": "acme_lib-1.0.tar.gz", "size": 10, "hashes": {"sha256": SHA256}}
    return said(**(told | {"mechanism": "http-post-bytes"} | other))


def test_a_new_file() -> None:
    hashes = {"sha256": SHA256.upper(), "md5": "0" * 32, "blake2b": "1" * 128}
    assert read_new_file(a_file(hashes=hashes), RELEASE) == NewFile(
        "acme_lib-1.0.tar.gz", 10, {name: value.lower() for name, value in hashes.items()}, "http-post-bytes"
    )
    assert read_new_file(a_file(mechanism="vnd-acme-postal"), RELEASE).mechanism == "vnd-acme-postal"


@pytest.mark.parametrize(
    ("other", "about"),
    [
        ({"filename": ""}, "filename"),
        ({"filename": "acme_lib-1.0.zip"}, "filename"),
        ({"filename": "acme_lib-1.1.tar.gz"}, "filename"),
        ({"filename": "other-1.0.tar.gz"}, "filename"),
        ({"filename": "../acme_lib-1.0.tar.gz"}, "filename"),
        ({"size": 0}, "size"),
        ({"size": -1}, "size"),
        ({"size": True}, "size"),
        ({"size": "10"}, "size"),
        ({"hashes": {}}, "hashes"),
        ({"hashes": [SHA256]}, "hashes"),
        ({"hashes": {"md5": "0" * 32}}, "hashes"),
        ({"hashes": {"sha256": "0" * 63}}, "hashes"),
        ({"hashes": {"sha256": "g" * 64}}, "hashes"),
        ({"hashes": {"sha256": 5}}, "hashes"),
        ({"hashes": {"sha256": SHA256, "sha257": "00"}}, "hashes"),
        ({"hashes": {"sha256": SHA256, "shake_128": "00"}}, "hashes"),
        ({"mechanism": None}, "mechanism"),
    ],
)
def test_files_that_cannot_be_read(other: dict[str, Any], about: str) -> None:
    with pytest.raises(BadRequest) as error:
        read_new_file(a_file(**other), RELEASE)
    assert problems(error) == [about]


@pytest.mark.parametrize("name", sorted(hashlib.algorithms_guaranteed - {"shake_128", "shake_256"}))
def test_every_digest_that_python_always_has(name: str) -> None:
    hashes = {"sha256": SHA256, name: hashlib.new(name, b"").hexdigest()}
    assert set(read_new_file(a_file(hashes=hashes), RELEASE).hashes) == set(hashes)


def test_extensions_and_actions() -> None:
    assert read_extension(said(**{"extend-for": 3600})) == 3600
    for wrong in (0, -1, True, "60", None, 1.5):
        with pytest.raises(BadRequest) as error:
            read_extension(said(**{"extend-for": wrong}))
        assert problems(error) == ["extend-for"]
    read_action(said())
    with pytest.raises(BadRequest):
        read_action(said({}))


def test_how_long_a_session_lives() -> None:
    expires = until(NOW)
    assert expires == datetime(2026, 8, 5, 12, 0, 0, tzinfo=UTC)
    assert extended(NOW, expires, 3600) == expires + timedelta(hours=1)
    most = extended(NOW, expires, 10**12)
    assert most == datetime(2026, 8, 28, 12, 0, 0, tzinfo=UTC)
    assert extended(NOW, most, 3600) == most


def test_whose_a_session_is() -> None:
    scope = read_scope("publish:acme")
    assert may_use("ci", Caller("ci", (scope,)))
    assert not may_use("ci", Caller("other", (scope,)))
    assert may_use("ci", Caller("other", (read_scope("admin"),)))
