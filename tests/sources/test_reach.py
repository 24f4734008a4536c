"""Where requests may lead: declared origins, public addresses, through proxies and TLS, and nowhere else."""

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes import certificates, faults
from fakes.outside import Outside
from fakes.proxy import Proxy
from wheelkeep.core.errors import Unanswered
from wheelkeep.sources import trust
from wheelkeep.sources.client import Client
from wheelkeep.sources.limits import Limits
from wheelkeep.sources.origin import Origin
from wheelkeep.sources.reach import Guard, Reach

ClientOf = Callable[..., Client]
FILES = "files.upstream.example"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates.certificate(tmp_path_factory.mktemp("tls"), FILES)


@pytest.fixture
def secure(both: Path) -> Iterator[Outside]:
    with Outside(tls=certificates.server(both)) as server:
        server.bodies["/file"] = faults.Answer(200, {}, b"content")
        yield server


@pytest.fixture
def trusted(both: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(both))


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy() as running:
        yield running


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What names resolve to, in place of the system's resolver: whole answers of DNS cannot be made otherwise."""
    known: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *rest: Any, **more: Any) -> list[Any]:
        if host not in known:
            return real(host, port, *rest, **more)
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in known[host]
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


async def refused(client: Client, url: str) -> str:
    with pytest.raises(Unanswered) as error:
        await client.get(url)
    assert "hunter2" not in error.value.reason
    return error.value.reason


# The rules.


def test_the_rules_of_a_source_that_declares_nothing() -> None:
    reach = Reach(Origin.of("http://own.example/"), ())
    assert not reach.is_guarded(Origin.of("http://own.example/x"))
    assert reach.is_guarded(Origin.of("https://own.example/x"))
    assert reach.is_guarded(Origin.of("https://files.example:8443/x"))
    with pytest.raises(Unanswered, match=r'not https; .* files = \["http://files.example"\]'):
        reach.is_guarded(Origin.of("http://files.example/x"))


def test_the_rules_of_a_source_that_declares_files() -> None:
    reach = Reach(Origin.of("https://own.example/"), (Origin.of("http://files.example"),))
    assert not reach.is_guarded(Origin.of("https://own.example/x"))
    assert not reach.is_guarded(Origin.of("http://files.example/x"))
    for url in ("https://files.example/", "https://other.example/", "http://files.example:8080/"):
        with pytest.raises(Unanswered, match="not among the declared"):
            reach.is_guarded(Origin.of(url))


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "::1", "fe80::1%1", "203.0.113.80", "::ffff:127.0.0.1"]
)
def test_the_guard_opens_no_inner_address(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(PermissionError, match="not a public address"):
        Guard()((family, socket.SOCK_STREAM, 6, "", (address, 443)))


def test_the_guard_opens_public_addresses() -> None:
    Guard()((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1", 443))).close()


# The guard at work.


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]", "[64:ff9b::7f00:1]"]
)
async def test_inner_addresses_are_not_opened(
    outside: Outside, secure: Outside, trusted: None, client_of: ClientOf, host: str
) -> None:
    client = client_of(outside.url)
    reason = await refused(client, f"https://{host}:{secure.port}/file")
    assert "not a public address" in reason
    assert 'files = ["https://' in reason
    outside.faults["/simple/demo/"] = faults.redirect(f"https://{host}:{secure.port}/file")
    assert "not a public address" in await refused(client, outside.url + "demo/")
    with pytest.raises(Unanswered, match="not a public address"):
        async with client.stream(outside.url + "demo/"):
            pass
    assert await client.head_size(outside.url + "demo/") is None
    assert secure.connections == 0


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["::1", "127.0.0.1"], ["10.9.9.9", "127.0.0.1", "::ffff:127.0.0.1"], ["169.254.169.254"]],
)
async def test_inner_addresses_by_name_are_not_opened(
    outside: Outside,
    secure: Outside,
    trusted: None,
    client_of: ClientOf,
    names: dict[str, list[str]],
    addresses: list[str],
) -> None:
    names[FILES] = addresses
    assert "not a public address" in await refused(
        client_of(outside.url), f"https://{FILES}:{secure.port}/file"
    )
    assert secure.connections == 0


async def test_a_name_that_changes_its_mind(
    secure: Outside, trusted: None, client_of: ClientOf, names: dict[str, list[str]]
) -> None:
    """DNS that says an address that may be opened to whoever checks, and an inner one to whoever connects."""
    names["upstream.example"] = names[FILES] = ["192.0.2.80"]
    client = client_of("https://upstream.example/simple/", limits=Limits(connect=0.05, tries=1))
    url = f"https://{FILES}:{secure.port}/file"
    assert "not a public address" not in await refused(client, url)
    names[FILES] = ["127.0.0.1"]
    for session in client._sessions.values():
        session.connector.clear_dns_cache()
    assert "not a public address" in await refused(client, url)
    assert secure.connections == 0


async def test_a_connection_of_a_declared_origin_is_nobody_else_s(
    outside: Outside, secure: Outside, trusted: None, client_of: ClientOf, names: dict[str, list[str]]
) -> None:
    names[FILES] = ["127.0.0.1"]
    client = client_of(outside.url, files=(secure.origin,))
    assert (await client.get(f"{secure.origin}/file")).status == 200
    assert "not among the declared" in await refused(client, f"https://{FILES}:{secure.port}/file")
    assert secure.connections == 1


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "127.0.0.1.",
        "0",
        "[::ffff:7f00:1%25lo]",
        "[fe80::1%25lo]",
        "[v1.x]",
        "localhost%00.example",
        "%31%32%37.0.0.1",
        "\uff11\uff12\uff17.0.0.1",
        "127\u30020\u30020\u30021",
        "user@127.0.0.1",
        "public.example\\@127.0.0.1",
    ],
)
async def test_no_spelling_of_an_inner_address_is_opened(
    outside: Outside, secure: Outside, trusted: None, client_of: ClientOf, host: str
) -> None:
    client = client_of(outside.url)
    await refused(client, f"https://{host}:{secure.port}/file")
    outside.faults["/simple/demo/"] = faults.redirect(
        f"https://{host}:{secure.port}/file".encode().decode("latin-1")
    )
    await refused(client, outside.url + "demo/")
    assert secure.connections == 0


@pytest.mark.parametrize("gateway", ["192.0.2.80", "198.51.100.80"])
async def test_a_gateway_of_a_closed_network(
    client_of: ClientOf, names: dict[str, list[str]], gateway: str
) -> None:
    """Nobody listens there: that a connection is tried at all is what the rule decides."""
    names["upstream.example"], names[FILES] = [gateway], [gateway]
    url = "https://upstream.example/simple/"
    quick = Limits(connect=0.05, first_byte=0.1, tries=1)
    allowed = await refused(client_of(url, limits=quick), f"https://{FILES}/file")
    assert "not a public address" not in allowed
    names["upstream.example"] = ["192.0.2.81"]
    assert "not a public address" in await refused(client_of(url, limits=quick), f"https://{FILES}/file")
    names["upstream.example"], names[FILES] = ["127.0.0.1"], ["127.0.0.1"]
    assert "not a public address" in await refused(client_of(url, limits=quick), f"https://{FILES}/file")


async def test_a_source_whose_own_name_is_none_has_no_gateway(secure: Outside, client_of: ClientOf) -> None:
    client = client_of("https://nowhere.invalid/simple/")
    assert "not a public address" in await refused(client, f"https://localhost:{secure.port}/file")


async def test_declared_origins_may_be_inner_ones(
    outside: Outside, secure: Outside, trusted: None, client_of: ClientOf
) -> None:
    client = client_of(outside.url, files=(secure.origin, f"https://localhost:{secure.port}"))
    assert (await client.get(f"{secure.origin}/file")).body == b"content"
    assert (await client.get(f"https://localhost:{secure.port}/file")).body == b"content"


# From https to http.


async def test_no_redirect_from_https_to_http(
    outside: Outside, secure: Outside, trusted: None, client_of: ClientOf
) -> None:
    secure.faults["/moved"] = faults.redirect(outside.url)
    assert "not https" in await refused(client_of(secure.url), secure.origin + "/moved")
    assert not outside.log
    assert (await client_of(secure.url, files=(outside.origin,)).get(secure.origin + "/moved")).status == 200
    secure.faults["/plain"] = faults.redirect(f"http://127.0.0.1:{secure.port}/file")
    assert "not https" in await refused(client_of(secure.url), secure.origin + "/plain")


# TLS.


async def test_an_unknown_authority(
    secure: Outside, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in trust.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    reason = await refused(client_of(secure.url), secure.origin + "/file?token=hunter2")
    assert "certificate is not trusted" in reason
    assert "SSL_CERT_FILE" in reason
    assert not secure.log


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
async def test_an_authority_by_name(
    secure: Outside, both: Path, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    for name in trust.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(both))
    assert (await client_of(secure.url).get(secure.origin + "/file")).body == b"content"


async def test_a_certificate_for_another_name(
    secure: Outside, trusted: None, client_of: ClientOf, names: dict[str, list[str]]
) -> None:
    names["upstream.example"] = ["127.0.0.1"]
    url = f"https://upstream.example:{secure.port}/"
    assert "certificate is not trusted" in await refused(client_of(url), url + "file")


async def test_tls_that_is_none(proxy: Proxy, client_of: ClientOf) -> None:
    url = f"https://127.0.0.1:{proxy.port}/"
    assert "no TLS connection" in await refused(client_of(url), url)


def test_the_system_and_what_is_added(both: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in trust.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    plain = trust.context()
    assert trust.context() is plain
    assert plain.verify_mode is ssl.CERT_REQUIRED
    assert plain.check_hostname
    monkeypatch.setenv("CURL_CA_BUNDLE", str(both))
    assert trust.context().cert_store_stats()["x509_ca"] == plain.cert_store_stats()["x509_ca"] + 1
    monkeypatch.setenv("CURL_CA_BUNDLE", str(tmp_path / "absent"))
    assert trust.context().cert_store_stats() == plain.cert_store_stats()
    (tmp_path / "rubbish").write_text("rubbish")
    monkeypatch.setenv("CURL_CA_BUNDLE", str(tmp_path / "rubbish"))
    with pytest.raises(Unanswered, match="cannot be read as certificates"):
        trust.context()
    monkeypatch.setenv("CURL_CA_BUNDLE", str(tmp_path))
    trust.context()


# Proxies.


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_http_through_a_proxy(
    outside: Outside, proxy: Proxy, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, f"http://me:hunter2@127.0.0.1:{proxy.port}")
    proxy.leads["upstream.example"] = outside.port
    reply = await client_of("http://upstream.example/simple/").get("http://upstream.example/simple/")
    assert (reply.status, reply.url) == (200, "http://upstream.example/simple/")
    method, target, headers = proxy.log[0]
    assert (method, target) == ("GET", "http://upstream.example/simple/")
    assert headers["proxy-authorization"] == "Basic bWU6aHVudGVyMg=="
    assert "proxy-authorization" not in outside.log[0].headers


async def test_https_through_a_proxy_to_a_public_name(
    outside: Outside,
    secure: Outside,
    trusted: None,
    proxy: Proxy,
    client_of: ClientOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"me:hunter2@127.0.0.1:{proxy.port}")
    proxy.leads[FILES] = secure.port
    client = client_of(outside.url, username="user", password=None)
    outside.faults["/simple/demo/"] = faults.redirect(f"https://{FILES}/file")
    reply = await client.get(outside.url + "demo/")
    assert (reply.body, reply.url) == (b"content", f"https://{FILES}/file")
    async with client.stream(f"https://{FILES}/file") as stream:
        assert [piece async for piece in stream.chunks()] == [b"content"]
    method, target, headers = proxy.log[0]
    assert (method, target) == ("CONNECT", f"{FILES}:443")
    assert headers["proxy-authorization"] == "Basic bWU6aHVudGVyMg=="
    assert headers["user-agent"].startswith("wheelkeep/")
    assert all(not {"proxy-authorization", "authorization"} & set(entry.headers) for entry in secure.log)
    assert len(proxy.log) == 1


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "[::1]",
        "10.0.0.1",
        "169.254.169.254",
        "203.0.113.80",
        "localhost",
        "db",
        "x.localhost",
        "x.internal",
    ],
)
async def test_a_proxy_is_not_asked_for_inner_hosts(
    outside: Outside, proxy: Proxy, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    assert "not a public address" in await refused(client_of(outside.url), f"https://{host}/file")
    assert not proxy.log


@pytest.mark.parametrize("spared", ["127.0.0.1", "*", "other.example, 127.0.0.1", "127.0.0.1:{port}"])
async def test_hosts_that_no_proxy_is_for(
    outside: Outside, proxy: Proxy, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch, spared: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("NO_PROXY", spared.format(port=outside.port))
    assert (await client_of(outside.url).get(outside.url)).status == 200
    assert not proxy.log


async def test_without_a_proxy_the_guard_stands_again(
    outside: Outside, secure: Outside, proxy: Proxy, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("NO_PROXY", "localhost")
    reason = await refused(client_of(outside.url), f"https://localhost:{secure.port}/file")
    assert "not a public address" in reason
    assert secure.connections == 0


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("socks5://me:hunter2@127.0.0.1:1080", "speaks socks5"),
        ("http://me:hunter2@127.0.0.1:1", "proxy cannot be reached"),
        ("http://me:hunter2@:1", "no usable address"),
        ("http://me:hunter2@[::1", "no usable address"),
        ("http://me:hunter2@nowhere.invalid:1", "cannot be resolved"),
    ],
)
async def test_proxies_of_no_use(
    client_of: ClientOf, monkeypatch: pytest.MonkeyPatch, named: str, words: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", named)
    url = "https://upstream.example/simple/"
    assert words in await refused(client_of(url), url)


async def test_a_proxy_that_refuses(
    proxy: Proxy, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:hunter2@127.0.0.1:{proxy.port}")
    url = "https://upstream.example/simple/"
    proxy.refuse = 407
    assert "proxy answered HTTP 407" in await refused(client_of(url), url)
