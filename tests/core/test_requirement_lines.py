"""Lines of a requirements file as pip makes them."""

import pytest

from wheelkeep.core.requirement_lines import BadLine, decoded, lines, variable


def read(text: str) -> list[tuple[int, str, tuple[tuple[str, str], ...]]]:
    return [(line.number, line.words, line.options) for line in lines(text)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", []),
        ("\n# only words\n   # more\n", []),
        ("demo==1.0", [(1, "demo==1.0", ())]),
        ("demo==1.0 # why", [(1, "demo==1.0", ())]),
        ("demo @ https://files.example/x.whl#sha256=0", [(1, "demo @ https://files.example/x.whl#sha256=0", ())]),
        ("demo==1.0 \\\n    --hash=a:1 \\\n    --hash b:2\nx", [
            (1, "demo==1.0", (("--hash", "a:1"), ("--hash", "b:2"))), (4, "x", ())
        ]),
        ("demo==1.0 \\\n  # why\n  --pre", [(1, "demo==1.0", ()), (3, "", (("--pre", ""),))]),
        ("demo ; os_name == 'nt' --hash=a:1", [(1, "demo ; os_name == 'nt'", (("--hash", "a:1"),))]),
        ("demo \\", [(1, "demo", ())]),
        ("-r a.txt\n-rb.txt\n--requirement=c.txt\n--requirement 'd e.txt'", [
            (number, "", (("--requirement", name),))
            for number, name in enumerate(("a.txt", "b.txt", "c.txt", "d e.txt"), 1)
        ]),
        ("-e .", [(1, "", (("--editable", "."),))]),
        ("-i https://files.example/ --no-index", [
            (1, "", (("--index-url", "https://files.example/"), ("--no-index", "")))
        ]),
        ("a\r\nb\rc", [(1, "a", ()), (2, "b", ()), (3, "c", ())]),
    ],
)  # fmt: skip
def test_lines(text: str, told: list[object]) -> None:
    assert read(text) == told


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x\n--hashes=a", '"--hashes=a" is no option'),
        ("x\n-z", '"-z" is no option'),
        ("x\n--hash", "--hash has no value"),
        ("x\n-r 'a", "quotation mark"),
    ],
)
def test_bad_lines(text: str, says: str) -> None:
    with pytest.raises(BadLine, match=says) as caught:
        read(text)
    assert caught.value.number == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_marks(encoding: str) -> None:
    assert decoded("demo # ä".encode(encoding)) == "demo # ä"


def test_a_coding_that_is_told() -> None:
    assert decoded("# -*- coding: latin-1 -*-\n# ä".encode("latin-1")).endswith("ä")
    assert decoded("x\n# coding=latin-1\n# ä".encode("latin-1")).endswith("ä")
    for content in (b"# coding: nothing\n", b"\xff\xff", b"# coding: rot13\n", b"\xef\xbb\xbf\xff"):
        with pytest.raises(ValueError, match="is not text in"):
            decoded(content)


def test_variables() -> None:
    assert variable("https://${TOKEN}@files.example/") == "${TOKEN}"
    assert variable("$TOKEN ${lower}") is None
