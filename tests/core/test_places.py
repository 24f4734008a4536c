from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelkeep.core.places import (
    in_the_clear,
    is_loopback,
    read_issuer,
    read_listen,
    read_origin,
    read_public_url,
    read_remote_url,
)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080),
        ("0.0.0.0:0", "0.0.0.0", 0),
        ("[::1]:80", "::1", 80),
        ("localhost:65535", "localhost", 65535),
        ("my_host.example:1", "my_host.example", 1),
    ],
)
def test_listen(text: str, host: str, port: int) -> None:
    assert read_listen(text) == (host, port)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8080",
        ":8080",
        "host",
        "host:",
        "host:65536",
        "::1:80",
        "[nope]:80",
        "*:80",
        "h:80\n",
        "a b:1",
        "h:-1",
    ],
)
def test_not_listen(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be|has no|port"):
        read_listen(text)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://x.example/simple", "https://x.example/simple/"),
        ("https://x.example/simple/", "https://x.example/simple/"),
        ("https://x.example", "https://x.example/"),
        ("HTTPS://X.Example:443/Simple/", "https://x.example/Simple/"),
        ("http://x.example:80/a//", "http://x.example/a/"),
        ("http://[::1]:8080/simple", "http://[::1]:8080/simple/"),
        ("http://my_index:3141/root/pypi/+simple/", "http://my_index:3141/root/pypi/+simple/"),
    ],
)
def test_remote_urls(text: str, url: str) -> None:
    assert read_remote_url(text) == url
    assert read_public_url(text) == url.rstrip("/")


NOT_URLS = [
    "x.example/simple",
    "/simple",
    "ftp://x.example/",
    "file:///etc/passwd",
    "https:///simple",
    "https://x.example/?a=b",
    "https://x.example/?",
    "https://x.example/#a",
    "https://x.example:99999/",
    "https://x.example:0/",
    "https://x.example:a/",
    "https://[::1/",
    "https://[v1.x]/",
    "https://*.example/",
    "https://x.example/a b",
    "https://x.example/\t",
    "https://x.exa\nmple/",
    "https://x.example\\@y.example/",
    "https://bücher.example/",
    "",
]


@pytest.mark.parametrize("text", NOT_URLS)
def test_not_urls(text: str) -> None:
    for read in (read_remote_url, read_public_url, read_origin):
        with pytest.raises(ValueError, match=r"must|is not"):
            read(text)


@pytest.mark.parametrize("text", ["https://user:hunter2@x.example/simple/", "https://hunter2@x.example/"])
def test_credentials_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="username and password") as caught:
        read_remote_url(text)
    assert "hunter2" not in str(caught.value)


def test_origins() -> None:
    assert read_origin("HTTPS://Files.Example:443") == "https://files.example"
    assert read_origin("http://files.example:8080") == "http://files.example:8080"
    for text in ("https://files.example/", "https://files.example/path"):
        with pytest.raises(ValueError, match=r'write "https://files\.example"'):
            read_origin(text)


def test_loopback() -> None:
    for host in (
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "127.0.0.1",
        "127.9.9.9",
        "::1",
        "::ffff:127.0.0.1",
    ):
        assert is_loopback(host), host
    for host in (
        "0.0.0.0",
        "::",
        "10.0.0.1",
        "example",
        "localhost.example",
        "127.0.0.1.example",
        "::ffff:8.8.8.8",
    ):
        assert not is_loopback(host), host


def test_in_the_clear() -> None:
    assert in_the_clear("http://x.example/")
    assert not in_the_clear("http://127.0.0.1:80/")
    assert not in_the_clear("http://[::1]/")
    assert not in_the_clear("https://x.example/")


@given(st.text(st.sampled_from("htps:/@[].a1?#\\ \t%-_"), max_size=25).map(lambda text: f"http://{text}"))
def test_what_is_accepted_is_plain(text: str) -> None:
    try:
        url = read_remote_url(text)
    except ValueError:
        return
    parts = urlsplit(url)
    assert parts.hostname
    assert not (parts.username or parts.query or parts.fragment)
    assert url.endswith("/")
    assert read_remote_url(url) == url


@pytest.mark.parametrize(
    "text",
    ["https://issuer.example", "https://issuer.example/", "https://issuer.example/a/B", "http://127.0.0.1:8000",
     "http://[::1]:1", "http://localhost"],
)  # fmt: skip
def test_an_issuer_stays_as_it_is_written(text: str) -> None:
    assert read_issuer(text) == text


@pytest.mark.parametrize(
    "text",
    ["http://issuer.example", "http://127.0.0.1.evil.example", "issuer.example", "https://u:p@issuer.example",
     "https://issuer.example/?a", "https://issuer.example#a", "file:///etc/passwd", "https://issuer.example/\n", ""],
)  # fmt: skip
def test_what_is_no_issuer(text: str) -> None:
    with pytest.raises(ValueError):
        read_issuer(text)
