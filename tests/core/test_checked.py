"""Field by field: what is kept as it came, what is put right, what is left out."""

import time

import pytest

from wheelkeep.core import checked, names
from wheelkeep.core.errors import NotAPage
from wheelkeep.core.model import Status
from wheelkeep.core.names import ProjectName

DEMO = names.project("demo")
SHA = "ab" * 32


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("demo-1.0-py3-none-any.whl", "1.0"),
        ("Demo-1.0.tar.gz", "1.0"),
        ("demo-1.0-1.tar.gz", "1.0.post1"),
        ("demo-v1.0.zip", "1.0"),
        ("demo-1.0-cp310-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", "1.0"),
        ("demo-1.0-cp27.cp34.cp35.cp36-none-macosx_10_6_intel.macosx_10_9_intel.win32.whl", "1.0"),
    ],
)
def test_file_names(text, version) -> None:
    read = checked.FileNames(DEMO).read(text)
    assert read is not None
    assert read.version == version


def test_file_names_of_a_project_with_dashes() -> None:
    filenames = checked.FileNames(names.project("a-b"))
    for text in ("a_b-1.0-py3-none-any.whl", "a-b-1.0.tar.gz", "A.B-1.0.tar.gz", "a-_b-1.0.tar.gz"):
        assert filenames.read(text) is not None, text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "demo",
        "demo-1.0.exe",
        "other-1.0.tar.gz",
        "demo-extra-1.0.tar.gz",
        "../demo-1.0.tar.gz",
        "demo-1.0.tar.gz\n",
        "demo-x-py3-none-any.whl",
        "demo-1.0-a-a-a-a-a-a.tar.gz",
        "demo-1.0-" + "-".join([".".join(f"a{n}" for n in range(9))] * 3) + ".whl",
        "demo-1.0" + "0" * 250 + ".tar.gz",
    ],
)
def test_what_is_no_file_of_the_project(text) -> None:
    assert checked.FileNames(DEMO).read(text) is None


def test_costly_names_do_not_cost() -> None:
    tags = ".".join(f"a{n}" for n in range(7))
    filenames = checked.FileNames(DEMO)
    began = time.process_time()
    with pytest.raises(NotAPage):
        for number in range(10_000):
            filenames.read(f"demo-{number}-{tags}-{tags}-{tags}.whl")
    for number in range(10_000):
        filenames.read(f"demo-{number}{'-a' * 110}.tar.gz")
    assert time.process_time() - began < 3


def test_hashes() -> None:
    told = {
        "sha256": SHA.upper(),
        "md5": "CD" * 16,
        "sha512": "ef" * 64,
        "blake2b": "ab" * 32,
        "sha1": "zz" * 20,
        "crc32": "00000000",
        "sha384": 7,
        "sha224": " " * 56,
    }
    assert checked.hashes(told.items()) == (SHA, {"md5": "cd" * 16, "sha512": "ef" * 64})


@pytest.mark.parametrize(
    "value", ["", "ab", "zz" * 32, SHA + "ab", "\u0661" * 64, SHA[:-1] + "\n", None, 7, "a " * 32]
)
def test_what_is_no_sha256(value) -> None:
    assert checked.hashes([("sha256", value)]) == (None, {})
    assert checked.metadata({"sha256": value}) is None


def test_size() -> None:
    assert [checked.size(value) for value in (0, 7, -1, True, 1.0, "7", None, 1 << 63)] == [0, 7] + [None] * 6


@pytest.mark.parametrize(
    "text", ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.1Z", "2026-01-02T03:04:05.678901Z"]
)
def test_upload_times_stay_as_they_came(text) -> None:
    assert checked.upload_time(text) == text


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-02T03:04:05",
        "2026-01-02T03:04:05+00:00",
        "2026-01-02 03:04:05Z",
        "2026-02-30T03:04:05Z",
        "2026-01-02T24:04:05Z",
        "2026-01-02T03:04:05.1234567Z",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05Z\n",
        "\u0662\u0660\u0662\u0666-01-02T03:04:05Z",
        1234567890,
        None,
    ],
)
def test_what_is_no_upload_time(value) -> None:
    assert checked.upload_time(value) is None


def test_requires_python() -> None:
    assert checked.requires_python(">=3.8") == ">=3.8"
    assert checked.requires_python("not a specifier") == "not a specifier"
    assert [checked.requires_python(value) for value in ("", ">=3\n", "x" * 1001, 3, None)] == [None] * 5


def test_reason() -> None:
    assert checked.reason("a\nb\x00c\u202ed") == "a b c d"
    assert checked.reason("x" * 5000) == "x" * 2000
    assert checked.reason("") == ""
    assert checked.reason(None) is None


def test_metadata() -> None:
    assert checked.metadata({"sha256": SHA.upper()}) == SHA
    assert checked.metadata({"sha256": "x"}) is None
    assert checked.metadata({"md5": "x"}) is True
    assert checked.metadata({}) is None
    assert [checked.metadata(value) for value in (True, False, None, "true", 1)] == [
        True,
        False,
        None,
        None,
        None,
    ]


def test_status() -> None:
    assert checked.status("archived", " a\nb ") == Status("archived", "a b")
    assert checked.status(" Quarantined", "") == Status("quarantined")
    assert checked.status("retired", "x") is None
    assert checked.status(None, None) is None


def test_versions() -> None:
    assert checked.versions(["1.0", "01.0", "v2", "x", 3, "1" * 300, "1.0"]) == ("1.0", "2")


@pytest.mark.parametrize("told", ["1", "1.0", "1.4", " 1.99 "])
def test_version_one(told) -> None:
    checked.require_version_one(told, url="https://upstream.example/")


@pytest.mark.parametrize("told", ["2.0", "0.9", "", "one", None, 1, "1.0.0", "\u0661.0", "1" * 5000])
def test_other_versions(told) -> None:
    with pytest.raises(NotAPage):
        checked.require_version_one(told, url="https://upstream.example/")


def test_whose_metadata_it_is() -> None:
    told = b"Metadata-Version: 2.1\nName: De_mo\nVersion: 1.0.0\n"
    for good in (told, told.replace(b"\n", b"\r\n"), told + b"\nName: other\n", told + b"Summary: \xff\n"):
        assert checked.describes(good, ProjectName("de-mo"), "1.0.0"), good
    for other in (
        b"",
        b"<html>",
        told[:-16],
        told.replace(b"De_mo", b"demo"),
        told.replace(b"1.0.0", b"1" * 9999),
    ):
        assert not checked.describes(other, ProjectName("de-mo"), "1.0.0"), other


def test_an_address_in_a_sentence_shows_no_secret() -> None:
    assert (
        checked.shown("https://u:p@upstream.example/simple/?token=1#x") == "https://upstream.example/simple/"
    )
    assert len(checked.shown("https://upstream.example/" + "x" * 9999)) == 200
