"""The stand-ins are what they claim to be: installable, honest unless told to lie, gone when stopped."""

import base64
import csv
import hashlib
import io
import json
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest

from fakes import faults
from fakes.dists import sdist, wheel
from fakes.outside import Outside


def fetch(url: str, **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(url, headers={k.replace("_", "-"): v for k, v in headers.items()})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_dists_are_deterministic_and_true() -> None:
    assert wheel("Demo.One", "1.0", requires=["x>1"]) == wheel("Demo.One", "1.0", requires=["x>1"])
    assert sdist("demo", "1.0") == sdist("demo", "1.0")
    filename, data = wheel("Demo.One", "1.0")
    assert filename == "demo_one-1.0-py3-none-any.whl"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        rows = list(csv.reader(io.StringIO(archive.read("demo_one-1.0.dist-info/RECORD").decode())))
        assert {row[0] for row in rows} == set(archive.namelist())
        for path, digest, size in rows:
            if digest:
                content = archive.read(path)
                raw = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
                assert (digest, int(size)) == (f"sha256={raw}", len(content))


@pytest.mark.parametrize("formats", [("json",), ("html",)])
def test_pip_installs_from_outside(tmp_path: Path, formats: tuple[str, ...]) -> None:
    with Outside(formats=formats) as outside:
        outside.add(*wheel("demo", "1.0", requires=["dep"]))
        outside.add(*sdist("dep", "2.0"))
        command = [
            sys.executable,
            "-I",
            "-m",
            "pip",
            "--isolated",
            "--proxy",
            "",
            "install",
            "--no-cache-dir",
        ]
        command += [
            "--disable-pip-version-check",
            "--index-url",
            outside.url,
            "--target",
            str(tmp_path),
            "demo",
        ]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "demo.py").exists()
    assert (tmp_path / "dep.py").exists()


def test_pages_files_and_outage() -> None:
    with Outside() as outside:
        filename, data = wheel("demo", "1.0")
        outside.add(filename, data, metadata=b"M", yanked="", provenance={"version": 1})
        page = json.loads(fetch(outside.url + "demo/", Accept="application/vnd.pypi.simple.v1+json")[1])
        assert page["files"][0]["hashes"] == {"sha256": hashlib.sha256(data).hexdigest()}
        assert page["files"][0]["yanked"] is True
        assert fetch(page["files"][0]["provenance"]) == (200, b'{"version": 1}')
        assert fetch(f"{outside.origin}/files/demo/{filename}", Range="bytes=2-5") == (206, data[2:6])
        assert fetch(f"{outside.origin}/files/demo/{filename}.metadata") == (200, b"M")
        assert fetch(f"{outside.origin}/pypi/demo/json")[0] == 200
        assert fetch(outside.url + "nothing/")[0] == 404
        outside.faults["/simple/demo/"] = faults.times(1, "down")
        assert [fetch(outside.url + "demo/")[0] for _ in range(2)] == [503, 200]
        outside.stop()
        with pytest.raises(OSError, match="refused"):
            fetch(outside.url)
        outside.start()
        assert fetch(outside.url)[0] == 200
        outside.remove(filename)
        assert fetch(outside.url + "demo/")[0] == 404


def test_the_bomb_is_a_gigabyte_in_a_megabyte() -> None:
    assert len(faults.bomb()) < 1_200_000
