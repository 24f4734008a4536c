"""``requirements.txt`` with hashes: pins, includes, constraints, and what is no file of an index."""

import pytest

from fakes.made import sha
from wheelkeep.core.errors import ConfigError
from wheelkeep.core.lock import Lock, Locked
from wheelkeep.core.lock_requirements import read_requirements

A, B, C = sha("a"), sha("b"), sha("c")


def read(text: str = "", **files: str) -> Lock:
    every = {f"locks/{name}.txt": told.encode() for name, told in files.items()}

    def opened(path: str) -> bytes:
        if path not in every:
            raise FileNotFoundError(2, "No such file or directory")
        return every[path]

    return read_requirements("locks/all.txt", text.encode(), opened)


def one(text: str, **files: str) -> Locked:
    (entry,) = read(text, **files).entries
    return entry


def files(entry: Locked) -> list[str | None]:
    return [file.sha256 for file in entry.files]


def mistakes(text: str, **more: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(text, **more)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_a_pin_with_hashes() -> None:
    entry = one(f"Foo.Bar[x,a]==1.0.POST1 ; python_version < '3.9' --hash=sha256:{A} --hash=sha256:{B}")
    assert (entry.project, entry.version, entry.extras) == ("foo-bar", "1.0.post1", ("a", "x"))
    assert (entry.marker, files(entry)) == ('python_version < "3.9"', [A, B])


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("d===1.0", "1.0"),
        ("d==1.*", None),
        ("d>=1", None),
        ("d==1,==1.0", None),
        ("d", None),
        ("d (==2)", "2"),
    ],
)
def test_what_pins_a_version(text: str, version: str | None) -> None:
    assert one(f"{text} --hash=sha256:{A}").version == version


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("-e .", (None, "editable", ".")),
        ("-e git+https://u:p@files.example/x@v1#egg=Demo", ("demo", "git", "git+https://files.example/x@v1")),
        ("git+https://files.example/x#egg=demo[a]", ("demo", "git", "git+https://files.example/x")),
        ("demo @ git+https://files.example/x", ("demo", "git", "git+https://files.example/x")),
        ("./dist/demo-1.0-py3-none-any.whl", ("demo", "path", "./dist/demo-1.0-py3-none-any.whl")),
        ("demo-1.0-py3-none-any.whl", ("demo", "path", "demo-1.0-py3-none-any.whl")),
        ("demo @ file:///x/demo-1.0.tar.gz", ("demo", "path", "file:///x/demo-1.0.tar.gz")),
        (
            "https://files.example/demo-1.0.tar.gz ; os_name == 'nt'",
            ("demo", "url", "https://files.example/demo-1.0.tar.gz"),
        ),
        ("https://files.example/latest", (None, "url", "https://files.example/latest")),
    ],
)
def test_what_no_index_serves(text: str, told: tuple[str | None, str, str]) -> None:
    lock = read(text)
    entry = lock.entries[0]
    assert (entry.project, entry.origin, entry.source) == told
    assert entry.unservable
    assert lock.warnings == ()


def test_the_hash_in_an_address() -> None:
    entry = one(f"demo @ https://files.example/demo-1.0.tar.gz#sha256={A}&egg=x")
    assert (files(entry), entry.files[0].filename) == ([A], "demo-1.0.tar.gz")


def test_includes_are_read_where_they_stand() -> None:
    lock = read(
        f"a==1 --hash=sha256:{A}\n-r more.txt\n-r more.txt\n",
        more=f"b==1 --hash=sha256:{B}\n-r ../locks/last.txt",
        **{"../locks/last": f"c==1 --hash=sha256:{C}"},
    )
    assert [entry.project for entry in lock.entries] == ["a", "b", "c"]
    assert lock.read == ("locks/all.txt", "locks/more.txt", "locks/../locks/last.txt")


def test_constraints_hold_for_what_they_constrain() -> None:
    assert files(one("demo\n-c c.txt", c=f"demo==1.0 --hash=sha256:{A}")) == [A]
    assert one("demo\n-c c.txt", c=f"demo==1.0 --hash=sha256:{A}").version == "1.0"
    both = f"demo==1.0 --hash=sha256:{A} --hash=sha256:{B}"
    assert files(one(f"{both}\n-c c.txt", c=f"demo==1.0 --hash=sha256:{B} --hash=sha256:{C}")) == [B]
    assert files(one(f"{both}\n-c c.txt", c="demo==1.0")) == [A, B]
    assert files(one(f"{both}\n-c c.txt", c=f"demo==2.0 --hash=sha256:{C}")) == [A, B]
    other = one("-c c.txt", c=f"dependency==1.0 --hash=sha256:{C}")
    assert (other.project, files(other)) == ("dependency", [C])
    assert read("-c c.txt", c="dependency==1.0").entries == ()


def test_a_requirements_file_named_by_a_constraint_is_one() -> None:
    assert one("-c c.txt", c="-r r.txt", r=f"demo==1.0 --hash=sha256:{A}").project == "demo"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "x\n!!",
            'locks/all.txt:2: "!!" is not a requirement: write a name and a version, such as "django==5.2"',
        ),
        ("-r gone.txt", "locks/all.txt:1: locks/gone.txt cannot be read: No such file or directory"),
        (
            "-r https://u:p@files.example/r.txt",
            'locks/all.txt:1: "https://files.example/r.txt" is an address: only files beside the lock are read, '
            "so fetch it there",
        ),
        ("-r all.txt", "locks/all.txt:1: locks/all.txt includes itself"),
        (
            "-r ${NAME}.txt",
            "locks/all.txt:1: ${NAME} is filled in by pip from its environment: write the name",
        ),
        (
            "demo==${V}",
            "locks/all.txt:1: ${V} is filled in by pip from its environment: write what it stands for",
        ),
        ("--hashes", 'locks/all.txt:1: "--hashes" is no option of requirements files'),
        ("demo==1 --hash=md5:" + "0" * 32, "locks/all.txt:1: md5 is not a hash that pip takes: write sha256"),
        (
            "demo==1 --hash=sha256:0",
            'locks/all.txt:1: "sha256:0" is not a hash: write "sha256:" and 64 hex digits',
        ),
    ],
)
def test_mistakes(text: str, says: str) -> None:
    assert mistakes(text) == [says]


def test_all_mistakes_are_told_at_once() -> None:
    assert len(mistakes("!!\n-r b.txt\n??", b="!!\n!!")) == 4


def test_includes_have_bounds() -> None:
    chain = {f"r{number}": f"-r r{number + 1}.txt" for number in range(60)}
    assert "more than any lock needs" in mistakes("-r r0.txt", **chain)[0]
    assert "includes itself" in mistakes("-r b.txt", b="-c b.txt")[0]


def test_an_index_s_options_are_passed_over() -> None:
    text = f"--index-url https://${{TOKEN}}@files.example/simple\n--require-hashes\ndemo==1 --hash=sha256:{A}"
    assert one(text).project == "demo"
