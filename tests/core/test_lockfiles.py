"""The door to the lock formats: which one a file has, and what all of them refuse."""

import pytest

from fakes.made import sha
from wheelkeep.core import lock as module
from wheelkeep.core.errors import ConfigError
from wheelkeep.core.lock import Lock, LockFormat
from wheelkeep.core.lockfiles import read_lock, told_format

A = sha("a")
TEXTS: dict[LockFormat, str] = {
    "requirements.txt": f"demo==1.0 --hash=sha256:{A}\n",
    "pylock.toml": f"""
lock-version = "1.0"
created-by = "by hand"
[[packages]]
name = "demo"
version = "1.0"
[[packages.wheels]]
name = "demo-1.0-py3-none-any.whl"
url = "https://files.example/demo-1.0-py3-none-any.whl"
hashes = {{sha256 = "{A}"}}
""",
    "uv.lock": f"""
version = 1
[[package]]
name = "demo"
version = "1.0"
source = {{ registry = "https://files.example/simple" }}
wheels = [{{ url = "https://files.example/demo-1.0-py3-none-any.whl", hash = "sha256:{A}" }}]
""",
    "poetry.lock": f"""
[[package]]
name = "demo"
version = "1.0"
files = [{{file = "demo-1.0-py3-none-any.whl", hash = "sha256:{A}"}}]
[metadata]
lock-version = "2.1"
""",
    "pdm.lock": f"""
[metadata]
lock_version = "4.5.0"
[[package]]
name = "demo"
version = "1.0"
files = [{{file = "demo-1.0-py3-none-any.whl", hash = "sha256:{A}"}}]
""",
    "Pipfile.lock": f"""
{{"_meta": {{"pipfile-spec": 6, "sources": []}},
 "default": {{"demo": {{"hashes": ["sha256:{A}"], "version": "==1.0"}}}}}}
""",
}


def read(path: str, text: str | bytes) -> Lock:
    content = text.encode() if isinstance(text, str) else text
    return read_lock(path, {path: content}.__getitem__)


def mistakes(path: str, text: str | bytes) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(path, text)
    return [str(mistake) for mistake in caught.value.mistakes]


@pytest.mark.parametrize("form", TEXTS)
@pytest.mark.parametrize("renamed", [False, True])
def test_a_format_is_known_by_its_name_or_else_by_its_text(form: LockFormat, renamed: bool) -> None:
    path = "locks/of-the-shop" if renamed else f"locks/{form}"
    lock = read(path, TEXTS[form])
    assert (lock.format, lock.read, lock.warnings) == (form, (path,), ())
    (entry,) = lock.entries
    assert (entry.project, entry.version, entry.origin, entry.unservable) == ("demo", "1.0", "index", "")
    assert [file.sha256 for file in entry.files] == [A]


def test_a_pylock_may_have_a_middle_name() -> None:
    assert read("pylock.dev.toml", TEXTS["pylock.toml"]).format == "pylock.toml"


@pytest.mark.parametrize("form", [form for form in TEXTS if form != "requirements.txt"])
def test_a_mark_at_the_start_is_no_part_of_the_text(form: LockFormat) -> None:
    assert read(form, b"\xef\xbb\xbf" + TEXTS[form].encode()).format == form


@pytest.mark.parametrize("form", TEXTS)
def test_a_name_that_promises_another_format_is_told(form: LockFormat) -> None:
    other: LockFormat = "uv.lock" if form != "uv.lock" else "pdm.lock"
    assert all(mistake.startswith(other) for mistake in mistakes(other, TEXTS[form]))


def test_toml_that_is_no_lock_is_told() -> None:
    says = "x.toml: is none of the locks that are known: pylock.toml, uv.lock, poetry.lock, pdm.lock, "
    assert mistakes("x.toml", '[tool.x]\nname = "demo"\n') == [
        f"{says}Pipfile.lock or requirements.txt with hashes"
    ]
    assert told_format("[[x]\n") is None


@pytest.mark.parametrize("form", [form for form in TEXTS if form != "requirements.txt"])
@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"", b"[[", b"[" * 100_000, b'{"a":' * 100_000, b"\x00"]
)
def test_what_is_broken_is_a_mistake_with_the_file_s_name(form: LockFormat, content: bytes) -> None:
    assert mistakes(form, content)[0].startswith(form)


def test_what_cannot_be_opened() -> None:
    def absent(path: str) -> bytes:
        raise FileNotFoundError(2, "No such file or directory", path)

    with pytest.raises(ConfigError, match=r"uv\.lock: the lock cannot be read: No such file or directory"):
        read_lock("uv.lock", absent)


def test_what_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wheelkeep.core.lockfiles.MOST_BYTES", 10)
    assert "is larger than" in mistakes("uv.lock", b"x" * 11)[0]
    monkeypatch.undo()
    monkeypatch.setattr(module, "MOST_FILES", 3)
    assert "is beyond the 3 files" in mistakes("requirements.txt", TEXTS["requirements.txt"] * 2)[0]


@pytest.mark.parametrize(
    ("form", "old", "new"),
    [
        ("pylock.toml", '"1.0"', '"2.0"'),
        ("uv.lock", "version = 1", "version = 2"),
        ("poetry.lock", '"2.1"', '"3.0"'),
        ("pdm.lock", '"4.5.0"', '"5.0"'),
        ("Pipfile.lock", "6", "7"),
    ],
)
def test_a_format_of_another_version_is_told(form: LockFormat, old: str, new: str) -> None:
    (mistake,) = mistakes(form, TEXTS[form].replace(old, new, 1))
    assert "is not" in mistake or "only" in mistake


@pytest.mark.parametrize("form", TEXTS)
def test_an_entry_without_sha256_is_warned_of(form: LockFormat) -> None:
    """It stays in the lock, and admits nothing."""
    sha512 = "b" * 128
    text = TEXTS[form].replace(A, sha512).replace("sha256", "sha512")
    lock = read(form, text)
    (entry,) = lock.entries
    assert [(file.sha256, file.digests) for file in entry.files] == [(None, {"sha512": sha512})]
    (warning,) = lock.warnings
    assert warning.says == "1 of 1 files of demo 1.0 have no sha256, so they are not admitted"
    assert warning.file == form


def test_many_warnings_are_cut_short() -> None:
    lock = read("requirements.txt", "".join(f"demo{number}==1\n" for number in range(50)))
    assert len(lock.warnings) == 21
    assert lock.warnings[-1].says == "30 more have no sha256 either"
