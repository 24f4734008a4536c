"""One normal form of a name, and file names that are read or refused, never repaired."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import InvalidVersion

from wheelkeep.core import names
from wheelkeep.core.errors import InvalidName
from wheelkeep.core.names import ParsedFilename, ProjectName

ODD = [
    "", "-", ".", "..", "-x", "x-", "_x", "x.", "a/b", "a\\b", "../x", "a b", " a", "a ", "a\n", "\na", "a\x00",
    "a%2fb", "a+b", "a:b", "a@b", "a#b", "a?b", "bücher", "\u0430cme", "acme\u200b", "\uff46oo", "\u212aey", "x" * 201,
]  # fmt: skip


@pytest.mark.parametrize("text", ["Foo.Bar", "foo_bar", "FOO--bar", "foo-._-bar", "foo-bar"])
def test_every_spelling_has_one_normal_form(text: str) -> None:
    assert names.project(text) == "foo-bar"


@pytest.mark.parametrize("text", ODD)
def test_names_outside_the_ascii_grammar_do_not_exist(text: str) -> None:
    with pytest.raises(InvalidName):
        names.project(text)


@given(st.text(max_size=30) | st.from_regex(r"[A-Za-z0-9._-]{1,30}", fullmatch=True))
def test_a_normal_form_is_its_own(text: str) -> None:
    try:
        name = names.project(text)
    except InvalidName:
        return
    assert names.project(name) == name
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_names_of_sources_and_indexes() -> None:
    assert names.source("acme-2") == "acme-2"
    assert names.index("main") == "main"
    assert names.source("simple") == "simple"
    for text in ("", "-a", "Acme", "a_b", "a.b", "a/b", "a" * 65, "a\n", "ä"):
        with pytest.raises(InvalidName):
            names.source(text)
        with pytest.raises(InvalidName):
            names.index(text)


@pytest.mark.parametrize("text", sorted(names.RESERVED_INDEX_NAMES))
def test_the_server_s_own_words_are_not_free_for_indexes(text: str) -> None:
    with pytest.raises(InvalidName):
        names.index(text)


@pytest.mark.parametrize(
    ("text", "owner", "kind", "version"),
    [
        ("demo-1.0-py3-none-any.whl", "demo", "wheel", "1.0"),
        ("Demo-1.0-py3-none-any.whl", "demo", "wheel", "1.0"),
        ("foo_bar-1.0.0-py3-none-any.whl", "foo-bar", "wheel", "1.0.0"),
        ("foo.bar-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", "foo-bar", "wheel", "1.0"),
        ("demo-1.0-2build-py2.py3-none-any.whl", "demo", "wheel", "1.0"),
        ("demo-1!2.0.post1.dev3+local.1-py3-none-any.whl", "demo", "wheel", "1!2.0.post1.dev3+local.1"),
        ("demo-1.0.tar.gz", "demo", "sdist", "1.0"),
        ("demo-v1.0-RC1.zip", "demo", "sdist", "1.0rc1"),
        ("Foo.Bar-2.tar.bz2", "foo-bar", "sdist", "2"),
        ("zope-interface-1.0.tgz", "zope-interface", "sdist", "1.0"),
        ("zope-interface-1.0-1.tar.gz", "zope-interface", "sdist", "1.0.post1"),
        ("demo-2024-01.tar.gz", "demo", "sdist", "2024.post1"),
        ("demo-1.0.tar.xz", "demo", "sdist", "1.0"),
        ("demo-1.0.tar", "demo", "sdist", "1.0"),
    ],
)
def test_file_names(text: str, owner: str, kind: str, version: str) -> None:
    assert names.filename(text, ProjectName(owner)) == ParsedFilename(kind, version)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "other-1.0-py3-none-any.whl",
        "demo_extra-1.0-py3-none-any.whl",
        "demo-extra-1.0.tar.gz",
        "other-1.0.tar.gz",
        "demo-1.0.exe",
        "demo-1.0.egg",
        "demo-1.0.tar.gz.asc",
        "demo-1.0-py3-none-any.whl.metadata",
        "demo-1.0.WHL",
        "demo.tar.gz",
        "demo-.tar.gz",
        "demo-linux-x86_64.tar.gz",
        "demo-1.0.whl",
        "demo-1.0-py3-none.whl",
        "demo-one-py3-none-any.whl",
        "demo-1.0-py3-none-any-any-any.whl",
        "../demo-1.0.tar.gz",
        "a/demo-1.0.tar.gz",
        "demo-1.0/../../x.tar.gz",
        "demo-1.0\\x.tar.gz",
        ".demo-1.0.tar.gz",
        "-demo-1.0.tar.gz",
        "demo-1.0 .tar.gz",
        "demo-1.0.tar.gz\n",
        "demo-1.0%2f.tar.gz",
        "demo-1.0\x00.tar.gz",
        "démo-1.0.tar.gz",
        "demo-1.0-py3-none-\u0430ny.whl",
        "demo-1.0-py3-none-../../any.whl",
        "demo-1.0-py3-none-a/ny.whl",
        "../demo-1.0-py3-none-any.whl",
        "demo-" + "1" * 300 + ".tar.gz",
        "",
    ],
)
def test_what_is_no_plain_file_of_the_project_is_refused(text: str) -> None:
    with pytest.raises(InvalidName):
        names.filename(text, ProjectName("demo"))


@given(st.text(alphabet="demo-1.0_+!ab/\\\x00\n %é", max_size=40).map(lambda text: f"demo-{text}"))
def test_no_file_name_is_a_path(stem: str) -> None:
    for text in (f"{stem}.whl", f"{stem}.tar.gz"):
        try:
            names.filename(text, ProjectName("demo"))
        except InvalidName:
            continue
        assert not set(text) & set("/\\\x00\n %é")
        assert not text.startswith(".")


def test_whose_file_a_name_speaks_of() -> None:
    assert names.owner_of("Foo_Bar-1.0-py3-none-any.whl") == "foo-bar"
    assert names.owner_of("foo-bar-1.0.tar.gz") == "foo-bar"
    # Never a part of a private file's version: nobody else is to be asked for "ours-1-0".
    assert names.owner_of("ours-1.0-1.tar.gz") == "ours"
    assert names.owner_of("ours-1.0-a-1-post-2-dev-3.zip") == "ours"
    assert names.owner_of("a-1-b-2.0.tgz") == "a-1-b"
    assert names.owner_of("../foo-1.0.tar.gz") is None
    assert names.owner_of("-1.0.tar.gz") is None
    assert names.owner_of("") is None


@pytest.mark.parametrize("text", ["a-" * 120 + ".tar.gz", "a-1-" * 60 + ".tar.gz", "1-" * 120 + "x.tar.gz"])
def test_to_tell_whose_a_file_is_never_takes_long(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def refused(_text: str, owner: ProjectName) -> None:
        tried.append(owner)
        raise InvalidName(owner)

    monkeypatch.setattr(names, "filename", refused)
    assert names.owner_of(text) is None
    assert len(tried) <= 1


def test_globs_are_compared_in_normal_form() -> None:
    for pattern in ("acme-*", "Acme_*", "ACME.*"):
        assert names.matches(pattern, ProjectName("acme-core"))
        assert not names.matches(pattern, ProjectName("acme"))
        assert not names.matches(pattern, ProjectName("xacme-core"))
    assert names.matches("acme", ProjectName("acme"))
    assert not names.matches("acme", ProjectName("acme-core"))


def test_a_version_has_so_many_digits_that_it_can_be_read() -> None:
    assert str(names.version("1." + "0" * 200)) == "1.0"
    with pytest.raises(InvalidVersion):
        names.version("1" * 5000)
