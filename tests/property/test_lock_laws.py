"""Whatever a lock's text is, reading it ends in a lock or in mistakes that name a file; order never matters."""

from hypothesis import given
from hypothesis import strategies as st

from fakes.made import sha
from wheelkeep.core.errors import ConfigError
from wheelkeep.core.lock import LockFormat
from wheelkeep.core.lock_set import LockSet
from wheelkeep.core.lockfiles import read_lock
from wheelkeep.core.names import ProjectName

A = sha("a")
TEXTS: dict[LockFormat, str] = {
    "requirements.txt": f"demo[x]==1.0 ; os_name == 'nt' \\\n  --hash=sha256:{A}\n"
    "-e git+https://files.example/x#egg=y\n",
    "pylock.toml": 'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "demo"\nversion = "1.0"\n'
    f'sdist = {{name = "demo-1.0.tar.gz", url = "https://files.example/x", hashes = {{sha256 = "{A}"}}}}\n',
    "uv.lock": 'version = 1\n[[package]]\nname = "demo"\nversion = "1.0"\nsource = { registry = "x" }\n'
    f'wheels = [{{ url = "https://files.example/x.whl", hash = "sha256:{A}", size = 1 }}]\n',
    "poetry.lock": '[[package]]\nname = "demo"\nversion = "1.0"\nmarkers = "x"\n'
    f'files = [{{file = "x", hash = "sha256:{A}"}}]\n[package.source]\ntype = "git"\n'
    '[metadata]\nlock-version = "2.1"\n',
    "pdm.lock": '[metadata]\nlock_version = "4.5"\n[[package]]\nname = "demo"\nversion = "1.0"\n'
    f'files = [{{url = "https://files.example/x", hash = "sha256:{A}"}}]\n',
    "Pipfile.lock": '{"_meta": {"pipfile-spec": 6}, "default": {"demo": '
    f'{{"hashes": ["sha256:{A}"], "version": "==1.0"}}}}}}',
}
forms = st.sampled_from(list(TEXTS))
# fmt: off
PIECES = [
    "", '"', "'", "[", "]]", "{", "}", "= 1", "[]", "{}", "true", "null", "\\", "\n", "\n-r x\n", "http://[", "\x00",
    "é",
]
# fmt: on
VALUES = ["1", "true", "[]", "{}", '"x"', "[{}]", "[1]", "1979-05-27", "-1", '""', "null"]


def reads(form: LockFormat, text: str) -> None:
    def opened(path: str) -> bytes:
        if path != form:
            raise FileNotFoundError(2, "No such file or directory")
        return text.encode(errors="surrogateescape")

    try:
        lock = read_lock(form, opened)
    except ConfigError as error:
        assert error.mistakes
        assert all(mistake.file == form and mistake.says for mistake in error.mistakes)
    else:
        LockSet([(form, lock)])


@given(forms, st.integers(0, 400), st.integers(0, 12), st.sampled_from(PIECES))
def test_a_text_with_a_piece_put_in_or_taken_out(form: LockFormat, at: int, gone: int, piece: str) -> None:
    text = TEXTS[form]
    reads(form, text[:at] + piece + text[at + gone :])


@given(forms, st.integers(0, 15), st.sampled_from(VALUES))
def test_a_value_of_another_kind(form: LockFormat, which: int, value: str) -> None:
    """After each ``=`` or ``:`` in turn, whatever stood there."""
    sign = ": " if form == "Pipfile.lock" else " = "
    parts = TEXTS[form].split(sign)
    at = which % len(parts)
    if at:
        head, _, rest = parts[at].partition("\n") if sign == " = " else parts[at].partition(",")
        parts[at] = value + ("\n" if sign == " = " else ",") * bool(rest or head) + rest
    reads(form, sign.join(parts))


@given(forms, st.text(max_size=60))
def test_any_text(form: LockFormat, text: str) -> None:
    reads(form, text.encode(errors="replace").decode())


lines = st.lists(
    st.tuples(st.sampled_from(["demo", "other"]), st.sampled_from(["1.0", "2.0"]), st.sampled_from("abcd")),
    max_size=8,
)


@given(lines, st.randoms(use_true_random=False))
def test_the_order_of_requirements_does_not_decide(told: list[tuple[str, str, str]], random: object) -> None:
    mixed = sorted(told, key=lambda _: random.random())  # type: ignore[attr-defined]

    def admitted(lines: list[tuple[str, str, str]]) -> set[tuple[str, str]]:
        text = "".join(f"{name}=={version} --hash=sha256:{sha(letter)}\n" for name, version, letter in lines)
        locks = LockSet([("x", read_lock("x", lambda _: text.encode()))])
        return {
            (name, letter)
            for name in ("demo", "other")
            for letter in "abcd"
            if locks.find(ProjectName(name), sha(letter)) is not None
        }

    assert admitted(told) == admitted(mixed) == {(name, letter) for name, _, letter in told}
