"""A form is read the same however it is cut into pieces, and holds nothing in memory that decides nothing."""

from collections.abc import AsyncIterator

import pytest

from fakes.uploads import BOUNDARY, END, KIND, part
from wheelkeep.web import form
from wheelkeep.web.form import Form, FormError, FormTooLargeError, read_form

FILE = bytes(range(256)) * 40 + b"\r\n--" + BOUNDARY.encode()[:-1] + b"\r\n"
BODY = b"".join(
    [
        part("name", "acme"),
        part("classifiers", "A :: B"),
        part("classifiers", "A :: C"),
        part("content", FILE, '; filename="acme-1.0.tar.gz"\r\nContent-Type: application/octet-stream'),
        part("version", "1.0"),
        END,
    ]
)


class Taking:
    def __init__(self) -> None:
        self.came = b""
        self.begun_with: dict[str, list[str]] | None = None

    async def begin(self, known: Form) -> "Taking":
        self.begun_with = {name: list(values) for name, values in known.fields.items()}
        return self

    async def push(self, piece: bytes) -> None:
        self.came += piece


async def pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    for at in range(0, len(body), size):
        yield body[at : at + size]


async def read(body: bytes, size: int = 65536, kind: str | None = KIND) -> tuple[Form, Taking]:
    taking = Taking()
    return await read_form(kind, pieces(body, size), taking.begin), taking


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000, 65536])
async def test_pieces_of_any_size(size: int) -> None:
    known, taking = await read(BODY, size)
    # The classifiers decide nothing, so they are not kept.
    assert known.fields == {"name": ["acme"], "version": ["1.0"]}
    assert known.filename == "acme-1.0.tar.gz"
    assert taking.came == FILE
    assert taking.begun_with == {"name": ["acme"]}


@pytest.mark.parametrize("size", [1, 3, 65536])
async def test_a_line_end_before_the_first_boundary_is_borne(size: int) -> None:
    known, taking = await read(b"\r\n" + BODY, size)
    assert (known.filename, taking.came) == ("acme-1.0.tar.gz", FILE)


async def test_forms_as_other_clients_write_them() -> None:
    unquoted = (
        f"--{BOUNDARY}\r\ncontent-disposition: form-data; name=content; filename=a.whl\r\n\r\nx\r\n".encode()
    )
    known, taking = await read(
        b"\r\n" + unquoted + END + b"\r\n", kind=f'multipart/form-data; boundary="{BOUNDARY}"'
    )
    assert (known.filename, taking.came) == ("a.whl", b"x")
    assert (await read(END, 3))[0].fields == {}
    assert (await read(END + b"what stands behind a form is nobody's", 5))[0].fields == {}


@pytest.mark.parametrize(
    "kind", [None, "", "application/json", "multipart/mixed; boundary=x", "multipart/form-data"]
)
async def test_what_is_no_form(kind: str | None) -> None:
    with pytest.raises(FormError, match="multipart/form-data, with a boundary"):
        await read(BODY, kind=kind)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (BODY[:-4], "cannot be read"),
        (BODY[: len(BODY) // 2], "cannot be read"),
        (b"", "cannot be read"),
        (BODY.replace(b"form-data", b"attachment", 1), "cannot be read"),
        (b"\0" * 8 + BODY, "does not begin with its boundary"),
        (b"before\r\n" + BODY, "does not begin with its boundary"),
        (BODY.replace(b"Content-Disposition", b"Content-Disposal", 1), "cannot be read"),
        (
            part("name", "a", '\r\nContent-Disposition: form-data; name="other"') + END,
            "more than one Content-Dispos",
        ),
        (part("name", "YQ==", "\r\nContent-Transfer-Encoding: base64") + END, "Content-Transfer-Encoding"),
        (part("name", "a", "\nX-Half: a line end") + END, "has a header that cannot be printed"),
        (part("content", b"", '; filename="a') + END, "content has no file name"),
        (part("content", b"", '; filename="a\\"b"') + END, "content has no file name"),
        (part("content", b"", '; other="a"; filename="a"') + END, "content has no file name"),
    ],
)
async def test_what_readers_could_understand_differently(body: bytes, says: str) -> None:
    with pytest.raises(FormError, match=says):
        await read(body)


async def test_headers_are_bounded() -> None:
    with pytest.raises(FormTooLargeError, match="larger than any upload needs"):
        await read(part("name", "a", f"; x={'y' * 5000}") + END)
    with pytest.raises(FormTooLargeError, match="larger than any upload needs"):
        await read(f"--{BOUNDARY}\r\n{'x' * 10_000}".encode(), 1000)
    with pytest.raises(FormTooLargeError, match="larger than any upload needs"):
        await read(part("name", "a", "".join(f"\r\nX-{number}: y" for number in range(20))) + END)


async def test_fields_are_bounded_also_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form, "_LARGEST_FIELD", 100)
    monkeypatch.setattr(form, "_LARGEST_DESCRIPTION", 200)
    monkeypatch.setattr(form, "_LARGEST_TEXT", 500)
    await read(part("summary", "x" * 100) + part("description", "x" * 200) + END, 16)
    for field, size in (("summary", 101), ("description", 201)):
        with pytest.raises(FormTooLargeError, match=f"'{field}' is larger than"):
            await read(part(field, "x" * size) + END, 16)
    with pytest.raises(FormTooLargeError, match="larger than 500 bytes together"):
        await read(part("a", "x" * 90) * 6 + END, 16)
