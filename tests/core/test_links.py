"""Links: the quick way and the long way agree, and what is no plain http(s) link is none."""

import itertools
from urllib.parse import urljoin

import pytest

from wheelkeep.core.errors import NotAPage
from wheelkeep.core.links import Base, absolute

PAGE = "https://upstream.example/simple/demo/"


@pytest.mark.parametrize(
    ("link", "url", "fragment"),
    [
        ("https://files.example/a.whl", "https://files.example/a.whl", ""),
        ("HTTPS://files.example/a.whl#sha256=x", "https://files.example/a.whl", "sha256=x"),
        ("../../files/a.whl#x=1&y=2", "https://upstream.example/files/a.whl", "x=1&y=2"),
        ("../../../../../a.whl", "https://upstream.example/a.whl", ""),
        ("a.whl", PAGE + "a.whl", ""),
        ("./a.whl", PAGE + "a.whl", ""),
        ("/a.whl", "https://upstream.example/a.whl", ""),
        ("//other.example/a.whl", "https://other.example/a.whl", ""),
        ("a.whl?token=1", PAGE + "a.whl?token=1", ""),
        ("a b.whl", PAGE + "a%20b.whl", ""),
        ("\u00e9.whl", PAGE + "%C3%A9.whl", ""),
        ("x/sha256:y/a.whl", PAGE + "x/sha256:y/a.whl", ""),
        ("http://[::1]:8080/a.whl", "http://[::1]:8080/a.whl", ""),
    ],
)
def test_resolve(link, url, fragment) -> None:
    assert Base(PAGE).resolve(link) == (url, fragment)


@pytest.mark.parametrize(
    "link",
    [
        "https://user:secret@files.example/a.whl",
        "https://@files.example/a.whl",
        "https://files.example",
        "https://files.example\\@evil.example/a.whl",
        "https://files.example:65536/a.whl",
        "https://files.example:x/a.whl",
        "https://f\u00edles.example/a.whl",
        "https://files example/a.whl",
        "http://[::1/a.whl",
        "http://[zz]/a.whl",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "ftp://files.example/a.whl",
        "data:text/html,x",
        "a\n.whl",
        "ht\ttp://files.example/a.whl",
        "a\x00.whl",
        "a\u200b.whl",
        "a" * 5000,
    ],
)
def test_what_is_no_link(link) -> None:
    assert Base(PAGE).resolve(link) is None
    assert absolute(link) is None


def test_both_ways_agree() -> None:
    parts = ["..", ".", "a", "b.whl", "", "c:d", "?x=1", "%41"]
    bases = [Base(PAGE), Base("https://upstream.example/a"), Base("https://upstream.example/")]
    for length in range(1, 5):
        for chosen in itertools.product(parts, repeat=length):
            link = "/".join(chosen)
            for base in bases:
                assert base.resolve(link) == base._resolve_slowly(link), link


def test_links_inherit_no_credential() -> None:
    assert Base("https://user:secret@upstream.example/simple/demo/").resolve("a.whl") == (PAGE + "a.whl", "")


def test_odd_bases_still_resolve() -> None:
    for page in (
        "https://upstream.example/a/./b/",
        "https://upstream.example//a/",
        "https://upstream.example/a?x=/b/",
    ):
        assert Base(page).resolve("../c.whl") == (urljoin(page, "../c.whl"), "")


def test_a_base_that_is_no_address_resolves_absolute_links_only() -> None:
    for page in ("", "nonsense", "https://[/", "file:///srv/"):
        assert Base(page).resolve("https://files.example/a.whl") == ("https://files.example/a.whl", "")
        assert Base(page).resolve("a.whl") is None


def test_base_href() -> None:
    base = Base(PAGE)
    assert base.under("/other/").resolve("a.whl") == ("https://upstream.example/other/a.whl", "")
    assert base.under("javascript:x") is base


def test_a_page_of_oddly_spelt_links_is_cut_short() -> None:
    base = Base(PAGE)
    with pytest.raises(NotAPage):
        for _ in range(2000):
            base.resolve("a b" * 300)


def test_absolute() -> None:
    assert absolute("https://upstream.example/p?x=1") == "https://upstream.example/p?x=1"
    assert absolute("https://upstream.example/p#x") is None
    assert absolute("/p") is None
