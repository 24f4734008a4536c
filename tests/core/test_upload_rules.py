"""Form, file name, metadata and digests say the same, or all that is wrong is told at once."""

import pytest

from wheelkeep.core.errors import InvalidName
from wheelkeep.core.names import ProjectName
from wheelkeep.core.upload_rules import Claim, digest_problems, read_form, read_metadata, same_file

DEMO = ProjectName("acme-lib")
WHEEL = "acme_lib-1.0-py3-none-any.whl"
GOOD = {
    ":action": "file_upload",
    "protocol_version": "1",
    "filetype": "bdist_wheel",
    "pyversion": "py3",
    "metadata_version": "2.4",
    "name": "Acme.Lib",
    "version": "1.0",
    "sha256_digest": "ab" * 32,
}
SDIST = {"filetype": "sdist", "pyversion": "source"}


def form(filename: str | None = WHEEL, **fields: str | list[str] | None) -> Claim:
    """A good form but for ``fields``; None leaves one out, ``action`` stands for ``:action``."""
    told = GOOD | {(":action" if name == "action" else name): value for name, value in fields.items()}
    return read_form(
        {
            name: [value] if isinstance(value, str) else value
            for name, value in told.items()
            if value is not None
        },
        filename,
    )


def test_a_good_form() -> None:
    claim = form()
    assert claim.problems == () and claim.complete
    assert (claim.project, claim.version, claim.kind, claim.filename) == ("acme-lib", "1.0", "wheel", WHEEL)
    assert claim.digests == {"sha256": "ab" * 32}
    assert claim.attestations is None


@pytest.mark.parametrize(
    ("filename", "fields"),
    [
        (WHEEL, {"name": "acme_lib"}),
        ("Acme.Lib-1.0-py3-none-any.whl", {}),
        ("acme_lib-1.0-1-py2.py3-none-any.whl", {"version": "v1.0"}),
        ("acme_lib-1.0.post1-py3-none-any.whl", {"version": "1.0-1"}),
        ("acme_lib-1.0+ubuntu.1-py3-none-any.whl", {"version": "1.0+ubuntu-1"}),
        ("acme_lib-1.0.tar.gz", SDIST),
        ("acme-lib-1.0.tar.gz", SDIST | {"pyversion": None}),
        ("Acme.Lib-1.0.tar.gz", SDIST),
        (WHEEL, {"metadata_version": "2.9"}),
        (WHEEL, {"metadata_version": "3.0"}),
        (WHEEL, {"metadata_version": "1.0"}),
        (WHEEL, {"sha256_digest": None, "md5_digest": "0" * 32}),
        (WHEEL, {"sha256_digest": "AB" * 32, "blake2_256_digest": "cd" * 32, "md5_digest": ""}),
        (WHEEL, {"attestations": "[]"}),
    ],
)
def test_what_clients_send(filename: str, fields: dict[str, str]) -> None:
    claim = form(filename, **fields)
    assert claim.problems == () and claim.complete and claim.filename == filename


def test_versions_that_are_equal_are_one() -> None:
    for told in ("1", "1.0", "1.0.0", "v1"):
        claim = form(version=told)
        assert (claim.version, claim.problems) == ("1.0", ()), told
        assert inside(METADATA, claim) == []
        assert inside(METADATA.replace("1.0", "1"), claim) != []
    assert form(version="1.0.1").problems == (f"{WHEEL} is of version 1.0, the form says 1.0.1",)
    assert form(version="1.0+x").problems != ()


@pytest.mark.parametrize(
    ("filename", "fields", "says"),
    [
        (WHEEL, {"action": "submit"}, ':action is "submit": it must be file_upload'),
        (WHEEL, {"action": None}, ":action is missing: it must be file_upload"),
        (WHEEL, {"protocol_version": "2"}, 'protocol_version is "2": it must be 1'),
        (WHEEL, {"filetype": "bdist_egg"}, 'filetype is "bdist_egg": wheels (bdist_wheel) and sdists (sdist)'),
        (WHEEL, {"filetype": None}, "filetype is missing"),
        (WHEEL, {"pyversion": None}, "pyversion is missing"),
        ("acme_lib-1.0.tar.gz", SDIST | {"pyversion": "py3"}, 'pyversion is "py3": for an sdist it is source'),
        (WHEEL, {"metadata_version": None}, "metadata_version is missing"),
        (WHEEL, {"metadata_version": "new"}, 'metadata_version is "new": it must be a version'),
        (WHEEL, {"name": None}, "name is missing"),
        (WHEEL, {"name": "acmé"}, r'name is "acm\xe9"'),
        (WHEEL, {"name": "-acme"}, "is not a project name"),
        (WHEEL, {"name": "../acme"}, "is not a project name"),
        (WHEEL, {"version": None}, "version is missing"),
        (WHEEL, {"version": "latest"}, 'version is "latest", which is no version (PEP 440)'),
        (WHEEL, {"sha256_digest": None}, "no digest is given: give one of sha256_digest"),
        (WHEEL, {"sha256_digest": "xyz"}, 'sha256_digest is "xyz": it must be 64 hexadecimal digits'),
        (WHEEL, {"md5_digest": "ab" * 32}, "it must be 32 hexadecimal digits"),
        (WHEEL, {"name": ["acme-lib", "other"]}, "name is given 2 times: give it once"),
        (WHEEL, {"sha256_digest": ["ab" * 32, "cd" * 32]}, "sha256_digest is given 2 times: give it once"),
        (None, {}, "content is missing"),
        ("acme_lib-1.1-py3-none-any.whl", {}, "is of version 1.1, the form says 1.0"),
        ("other-1.0-py3-none-any.whl", {}, "is not a file of acme-lib"),
        ("acme_lib-1.0.tar.gz", {}, "is a file of the kind sdist, which the filetype is not"),
        (WHEEL, SDIST, "is a file of the kind wheel, which the filetype is not"),
        ("acme_lib-1.0.zip", SDIST, "is no .tar.gz: that is the one form of an sdist (PEP 625)"),
        ("acme_lib-1.0.tar.bz2", SDIST, "is no .tar.gz"),
        ("acme_lib-1.0-py3-any.whl", {}, "the file name does not fit"),
        ("acme_lib-1.0-py3.11-egg", {}, "is neither a wheel nor an sdist"),
        ("../acme_lib-1.0-py3-none-any.whl", {}, "is not a plain distribution file name"),
        ("acmé-1.0-py3-none-any.whl", {}, "is not a plain distribution file name"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_the_clients_own_words(
    filename: str | None, fields: dict[str, str], says: str
) -> None:
    assert says in "\n".join(form(filename, **fields).problems)


def test_everything_is_told_at_once() -> None:
    claim = form(
        None, action=None, protocol_version="9", filetype="x", name="é", version="y", sha256_digest="z"
    )
    assert len(claim.problems) == 7
    assert not claim.complete
    assert all("\n" not in says for says in claim.problems)


@pytest.mark.parametrize("field", ["name", "version", "filetype", "sha256_digest"])
def test_a_field_that_is_given_twice_is_one_mistake_and_not_missing(field: str) -> None:
    """What is said of the file goes by the first of them, so that all else that is wrong is told as well."""
    told = {"name": "acme-lib", "version": "1.0", "filetype": "bdist_wheel", "sha256_digest": "ab" * 32}
    twice = [told[field], "other"]
    assert form(WHEEL, **{field: twice}).problems == (f"{field} is given 2 times: give it once",)


def test_what_a_client_sends_is_shown_short_and_printable() -> None:
    (says,) = form(protocol_version="\x1b[2J" + "9" * 10_000).problems
    assert says.isprintable() and len(says) < 300


def test_digests() -> None:
    came = {"sha256": "ab" * 32, "md5": "0" * 32}
    assert digest_problems({"sha256": "ab" * 32, "md5": "0" * 32}, came) == []
    assert digest_problems({}, came) == []
    wrong = digest_problems({"sha256": "cd" * 32, "md5": "1" * 32}, came)
    assert [says.split(" is ")[0] for says in wrong] == ["sha256_digest", "md5_digest"]
    (late,) = digest_problems({"blake2b_256": "ab" * 32}, came)
    assert late == "blake2_256_digest must come before content, as the other digests did"


METADATA = "Metadata-Version: 2.4\nName: acme.lib\nVersion: 1.0\n"


def inside(text: str, claim: Claim | None = None) -> list[str]:
    return read_metadata(text.encode(), claim or form())[1]


def test_metadata_that_agrees() -> None:
    told, problems = read_metadata(f"{METADATA}Requires-Python: >=3.9\n\nWords.\n".encode(), form())
    assert problems == [] and told.requires_python == ">=3.9"
    assert inside(METADATA.replace("2.4", "7.0")) == []
    assert inside(METADATA.replace("1.0", "v1.0")) == []
    assert inside(f"{METADATA}Requires-Dist: other>=1; python_version > '3'\nLicense: ours\n") == []
    assert inside(f"{METADATA}New-Field: something\n") == []
    assert inside(METADATA.replace("\n", "\r\n") + "\r\nOther\rwords.\n") == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no Metadata-Version"),
        (
            METADATA.replace("acme.lib", "other"),
            'METADATA says that the name is "other", the form says acme-lib',
        ),
        (METADATA.replace("Name: acme.lib\n", ""), "the name is missing, the form says acme-lib"),
        (METADATA.replace("acme.lib", "-x"), 'the name is "-x"'),
        (METADATA.replace("1.0", "2.0"), "METADATA says that the version is 2.0, the form says 1.0"),
        (METADATA.replace("1.0", "old"), 'Version in METADATA is "old", which is no version'),
        (METADATA.replace("Version: 1.0\n", "", 1), "Version in METADATA is missing"),
        (METADATA.replace("2.4", "two"), "has no Metadata-Version, or one that is no version"),
        (f"{METADATA}Name: acme-lib\n", "METADATA has name twice"),
        (f"{METADATA}Version: 1.0\n", "METADATA has version twice"),
        (f"{METADATA}Requires-Python: >=3\nRequires-Python: >=4\n", "METADATA has requires-python twice"),
        (f"{METADATA}Requires-Python: three\n", 'Requires-Python in METADATA is "three"'),
        (
            f"{METADATA}Requires-Dist: a b c\n",
            'Requires-Dist in METADATA is "a b c", which is no requirement',
        ),
        (METADATA.replace("1.0", "1" * 5_000), "which is no version"),
        (f"{METADATA}Requires-Python: >={'1' * 5_000}\n", "which is no version specifier"),
        (f"{METADATA}Requires-Dist: a>{'1' * 5_000}\n", "which is no requirement"),
        (
            f"{METADATA}Requires-Dist: a; {'(' * 3_000}os_name == 'a'{')' * 3_000}\n",
            "which is no requirement",
        ),
        (f"{METADATA}Summary: x\rRequires-Dist: a\n", "a line end by half"),
        (METADATA.replace("\n", "\r"), "a line end by half"),
        (f"{METADATA}Summary: x\x0bRequires-Dist: a\n\nWords.\n", "another control character"),
        (METADATA + "Requires-Dist: a\n" * 10_001, "more than 10000 requirements"),
    ],
)
def test_metadata_that_says_something_else(text: str, says: str) -> None:
    assert says in "\n".join(inside(text))


def test_an_sdists_metadata_is_called_by_its_name() -> None:
    claim = form("acme_lib-1.0.tar.gz", **SDIST)
    assert "PKG-INFO says that the name" in inside(METADATA.replace("acme.lib", "other"), claim)[0]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (WHEEL, "Acme.Lib-1.0-py3-none-any.whl", True),
        ("acme_lib-1.0-py2.py3-none-any.whl", "acme_lib-1.0-py3.py2-none-any.whl", True),
        ("acme_lib-1.0-PY3-none-any.whl", WHEEL, True),
        ("acme_lib-1.0-1-py3-none-any.whl", "acme_lib-1.0-01-py3-none-any.whl", True),
        ("acme-lib-1.0.tar.gz", "acme_lib-1.0.zip", True),
        ("acme_lib-1.0.post1.tar.gz", "acme_lib-1.0-1.tar.gz", True),
        (WHEEL, "acme_lib-1.0-py2-none-any.whl", False),
        (WHEEL, "acme_lib-1.0-1-py3-none-any.whl", False),
        ("acme_lib-1.0-1a-py3-none-any.whl", "acme_lib-1.0-1b-py3-none-any.whl", False),
        (WHEEL, "acme_lib-1.1-py3-none-any.whl", False),
        (WHEEL, "acme_lib-1.0.tar.gz", False),
    ],
)
def test_two_names_of_one_file(one: str, other: str, same: bool) -> None:
    assert (same_file(one, DEMO) == same_file(other, DEMO)) is same


def test_what_is_no_file_name_is_the_same_as_nothing() -> None:
    with pytest.raises(InvalidName):
        same_file("README", DEMO)
