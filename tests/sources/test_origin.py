"""One spelling for each origin, and nothing that two programs could read in two ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelkeep.sources.origin import Origin, target


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://upstream.example/simple/", "https://upstream.example"),
        ("HTTPS://UpStream.Example:443", "https://upstream.example"),
        ("http://upstream.example:80/x?y#z", "http://upstream.example"),
        ("http://upstream.example:8080", "http://upstream.example:8080"),
        ("https://upstream.example:80/", "https://upstream.example:80"),
        ("https://upstream.example:/", "https://upstream.example"),
        ("http://nexus_1:8081/repo/", "http://nexus_1:8081"),
        ("https://bücher.example/", "https://xn--bcher-kva.example"),
        ("https://127.0.0.1:8443/", "https://127.0.0.1:8443"),
        ("https://[2001:DB8:0::1]/", "https://[2001:db8::1]"),
        ("https://[::1]:8443/", "https://[::1]:8443"),
    ],
)
def test_one_spelling(url: str, text: str) -> None:
    origin = Origin.of(url)
    assert str(origin) == text
    assert Origin.of(text) == origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        "upstream.example",
        "/simple/",
        "//upstream.example/",
        "ftp://upstream.example/",
        "file:///etc/passwd",
        "https://",
        "https:///simple/",
        "https:upstream.example",
        "https://user@upstream.example/",
        "https://user:secret@upstream.example/",
        "https://@upstream.example/",
        "https://good.example\\@evil.example/",
        "https://good.example\\evil.example/",
        "https://upstream.example:99999/",
        "https://upstream.example:0/",
        "https://upstream.example:+443/",
        "https://upstream.example:٤٤٣/",
        "https://upstream.example:x/",
        "https://up%73tream.example/",
        "https://upstream .example/",
        " https://upstream.example/",
        "https://upstream.example/\n",
        "https://up\tstream.example/",
        "https://.example/",
        "https://upstream..example/",
        "https://upstream.example./",
        "https://-upstream.example/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://1.2.3.4.5/",
        "https://[::1/",
        "https://[fe80::1%eth0]/",
        "https://[127.0.0.1]/",
        "https://[]/",
        "https://::1/",
        f"https://{'a' * 64}.example/",
        f"https://{'a.' * 130}example/",
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(ValueError) as refused:
        Origin.of(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "rest"),
    [
        ("https://upstream.example", "/"),
        ("https://upstream.example/a b/ü?q=ü&r= #f", "/a%20b/%C3%BC?q=%C3%BC&r=%20"),
        ("https://upstream.example/a%2Fb%7e/+x;y=1?sig=%2B/=&x=a+b", "/a%2Fb%7e/+x;y=1?sig=%2B/=&x=a+b"),
        ('https://upstream.example/"<>|', "/%22%3C%3E%7C"),
    ],
)
def test_a_target_is_what_is_sent(url: str, rest: str) -> None:
    assert target(url) == (Origin.of(url), rest)


@given(st.text())
def test_a_target_or_a_refusal(text: str) -> None:
    for url in (text, f"https://{text}", f"https://upstream.example/{text}"):
        try:
            origin, rest = target(url)
        except ValueError:
            continue
        assert rest.startswith("/")
        assert rest.isascii()
        assert not set(rest) & set(' "<>\r\n\t#')
        assert target(f"{origin}{rest}") == (origin, rest)
