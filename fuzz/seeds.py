"""What each target begins with: good examples, made by code."""

import gzip
import json
import zlib

from fakes.bundles import bundle_of, document, file_of, lines_of
from fakes.dists import metadata, sdist, wheel
from fakes.osv import record
from fuzz.files import BOUNDARY
from wheelkeep.core.bundle import write_line
from wheelkeep.core.checkpoint import Checkpoint
from wheelkeep.core.log_entries import SeenFile, write_entry
from wheelkeep.core.manifest import FORMAT, End, Head, Kept, Stored, write
from wheelkeep.core.notes import PLAIN, Note, PrivateKey
from wheelkeep.core.tiles import bundle

A = "a1" * 32
_, WHEEL = wheel("demo", "1.0", files={"demo/a.py": b"a" * 300, "demo/b.py": b"b = 1\n"})
_, SDIST = sdist("demo", "1.0")


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


_FILE = {
    "filename": "demo-1.0-py3-none-any.whl",
    "url": "../../files/demo-1.0-py3-none-any.whl",
    "hashes": {"sha256": A, "md5": "0" * 32},
    "requires-python": ">=3.8,<4",
    "size": 12,
    "upload-time": "2020-02-02T00:00:00.000000Z",
    "yanked": "bad <day>",
    "core-metadata": {"sha256": A},
    "provenance": "https://x.example/p",
}
PAGE_JSON = _json(
    {
        "meta": {"api-version": "1.4"},
        "name": "demo",
        "files": [_FILE, _FILE | {"filename": "Demo-1.1.tar.gz", "yanked": False, "core-metadata": True}],
        "versions": ["1.0", "1.1"],
        "project-status": {"status": "archived", "reason": "old"},
    }
)
PAGE_HTML = (
    '<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.4">'
    '<meta name="pypi:project-status" content="deprecated"><base href="/x/"></head><body>'
    f'<a href="f/demo-1.0-py3-none-any.whl#sha256={A}" data-requires-python="&gt;=3.8" data-yanked="x"'
    f' data-core-metadata="sha256={A}">demo-1.0-py3-none-any.whl</a>'
    '<a href="demo-1.0.tar.gz">demo-1.0.tar.gz</a></body></html>'
).encode()
_PARTS = [
    (":action", "file_upload"),
    ("protocol_version", "1"),
    ("name", "demo"),
    ("version", "1.0"),
    ("filetype", "bdist_wheel"),
    ("pyversion", "py3"),
    ("metadata_version", "2.1"),
    ("sha256_digest", A),
]
FORM = (
    b"".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in _PARTS
    )
    + f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="content"; filename="demo-1.0.tar.gz"\r\n'.encode()
    + f"Content-Type: application/octet-stream\r\n\r\nbytes\r\n--{BOUNDARY}--\r\n".encode()
)
_HASHED = f'{{name = "demo-1.0.tar.gz", url = "https://f.example/x", hashes = {{sha256 = "{A}"}}}}'
_PACKAGE = '[[package]]\nname = "demo"\nversion = "1.0"\n'
_CLAIM = {"kind": "GitHub", "repository": "a/b", "workflow": "c.yml"}
_ATTESTATION = {
    "version": 1,
    "verification_material": {"certificate": "YQ==", "transparency_entries": [{}]},
    "envelope": {"statement": "YQ==", "signature": "YQ=="},
}

_KEY = PrivateKey("keep.example/log", PLAIN, bytes(range(32)))
_CHECKPOINT = Checkpoint("keep.example/log", 3, bytes(32))
_ENTRY = write_entry(
    SeenFile(
        at="2026-01-01T00:00:00.000000Z", source="a", project="b", filename="c", sha256=A, salt="00" * 16
    )
)
_MOVED = file_of("demo-1.0-py3-none-any.whl", b"a", source="outer", yanked="it burns")
_BUNDLE = lines_of(
    [
        document(file_of("demo-1.0.tar.gz", b"b"), used=("demo-0.1.tar.gz",)),
        document(_MOVED, source="outer", kind="remote"),
    ],
    [b"a", b"b"],
)
_BACKUP = [
    Head(format=FORMAT, made="2026-01-01T00:00:00Z", wheelkeep="1"),
    Kept(path="wheelkeep.db", mode=0o600, size=3, sha256=A, parts=(A,)),
    Stored(sha256=A, size=3),
    End(entries=2, bytes=6),
]

SEEDS: dict[str, tuple[bytes, ...]] = {
    "page_json": (PAGE_JSON,),
    "page_html": (PAGE_HTML,),
    "root_list": (
        _json({"meta": {"api-version": "1.0"}, "projects": [{"name": "demo"}, {"name": "B.c"}]}),
        b'<!DOCTYPE html><html><body><a href="demo/">demo</a></body></html>',
    ),
    "file_names": (
        b"demo-1.0-py3-none-any.whl",
        b"Foo_Bar-1.0rc1-1-cp311-abi3-linux_x86_64.whl",
        b"a-b-1.0-1.tar.gz",
    ),
    "headers": (
        b"bytes=0-99",
        b"bytes=-5, 7-",
        b"application/vnd.pypi.simple.v1+json; q=0.5, text/html;q=0.1, */*",
        b'gzip;q=1.0, zstd, *;q=0\n"a", W/"b"',
    ),
    "wheel": (WHEEL,),
    "cached_wheel": (WHEEL,),
    "sdist": (gzip.decompress(SDIST),),
    "packed_sdist": (SDIST,),
    "form": (FORM,),
    "packed_page": (gzip.compress(b"x" * 3000), zlib.compress(b"y" * 3000), gzip.compress(b"a") * 3),
    "left_files": (
        b"E\0\0\0\0F\0\5a.whl\0\0\0\0\0\0\0\3abcF\0\1b\0\0\0\0\0\0\0\0.",
        b"E\xff\xff\xff\xf7.",
        b"E\0\0\0\0X\0\4link.",
    ),
    "said": (b"\x1b[31mred\x1b[0m \x1b]0;title\x07\r\n\x9b1m", "über\u202e\t".encode()),
    "lock_requirements": (
        f"demo[x]==1.0 ; os_name == 'nt' \\\n  --hash=sha256:{A}\n-e git+https://f.example/x#egg=y\n".encode(),
    ),
    "lock_pylock": (
        'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "demo"\nversion = "1.0"\n'
        f"sdist = {_HASHED}\n".encode(),
    ),
    "lock_uv": (
        f'version = 1\n{_PACKAGE}source = {{ registry = "x" }}\n'
        f'wheels = [{{ url = "https://f.example/x.whl", hash = "sha256:{A}", size = 1 }}]\n'.encode(),
    ),
    "lock_poetry": (
        f'{_PACKAGE}markers = "x"\nfiles = [{{file = "x", hash = "sha256:{A}"}}]\n[package.source]\ntype = "git"\n'
        '[metadata]\nlock-version = "2.1"\n'.encode(),
    ),
    "lock_pdm": (
        f'[metadata]\nlock_version = "4.5"\n{_PACKAGE}'
        f'files = [{{url = "https://f.example/x", hash = "sha256:{A}"}}]\n'.encode(),
    ),
    "lock_pipfile": (
        _json(
            {
                "_meta": {"pipfile-spec": 6},
                "default": {"demo": {"hashes": [f"sha256:{A}"], "version": "==1.0"}},
            }
        ),
    ),
    "policy": (
        b'[allow]\npackages = ["demo>=1,<2", "x*"]\n[deny]\nhashes = ["sha256:'
        + A.encode()
        + b'"]\nreason = "INC"\n'
        b'[cooldown]\nage = "7d"\nfixes = true\n[licences]\nallow = ["MIT"]\n[[waiver]]\npackage = "demo==1.0"\n'
        b'gates = ["deny"]\nreason = "x"\nby = "me"\nuntil = 2026-12-31\n',
    ),
    "settings": (
        b'data = "d"\nlisten = "127.0.0.1:8080"\n[sources.acme]\nkind = "hosted"\nnames = ["acme-*"]\n[sources.p]\n'
        b'kind = "remote"\nurl = "pypi"\nfresh = "10m"\n[indexes.main]\nsources = ["acme", ["p"]]\nmerge = "pinned"\n'
        b'publish = "acme"\n[[indexes.main.pin]]\npackage = "numpy"\nversion = "1.*"\npriority = 990\n',
    ),
    "expectations": (b'expect "demo==1.0" admitted\nexpect "demo==2.0" blocked by deny\n# remark\n',),
    "osv": (
        _json(
            record("GHSA-1", "demo", vector="CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", versions=["1.0"])
        ),
        _json([{"id": "PYSEC-1", "aliases": ["CVE-1"], "fixed_in": ["2.0"], "details": "x"}]),
    ),
    "attestations": (
        _json([_ATTESTATION]),
        _json({"version": 1, "attestation_bundles": [{"publisher": _CLAIM, "attestations": [_ATTESTATION]}]}),
    ),
    "identity": (b"eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.eyJpc3MiOiJodHRwczovL3guZXhhbXBsZSJ9.YQ",),
    "log_note": (
        f"{Note(str(_CHECKPOINT), (_KEY.sign(str(_CHECKPOINT)),))}".encode(),
        f"{_KEY.public}\n{_CHECKPOINT}".encode(),
    ),
    "log_tiles": (b"0/x001/000.p/12", bytes(range(64)), bundle([_ENTRY, _ENTRY])),
    "backup_list": (b"".join(map(write, _BACKUP)),),
    "bundle_file": (bundle_of({"demo-1.0-py3-none-any.whl": b"a"}),),
    "bundle_documents": (b"".join(map(write_line, _BUNDLE)),),
    "requirement": (
        b"demo[x]>=1,<2; (os_name == 'nt' and extra == 'y')",
        b"acme-*",
        b"==1.0.*",
        b"demo @ https://x.example/y",
    ),
    "moments": (b"2026-10-01", b"2026-10-01T12:00:00.5+02:00", b"2026-10-01t00:00:00z"),
    "metadata": (
        metadata("demo", "1.0").encode()
        + b"License-Expression: MIT OR (GPL-2.0-only WITH x)\nRequires-Python: >=3.8\n"
        b"Requires-Dist: x>1; (os_name == 'nt')\n",
    ),
}
