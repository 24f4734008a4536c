"""Which uv is run, and what it is told."""

import sys
from pathlib import Path

import pytest

from wheelkeep.index.uv import Unresolvable, UvMissing, find_uv, resolve

FAKE = """\
#!{python}
import os, sys
print("a==1.0  # via b")
leading = [name for name in os.environ if name.startswith(("UV_", "PIP_")) or name.lower().endswith("_proxy")]
print(sorted(leading), file=sys.stderr)
print(os.environ["UV_DEFAULT_INDEX"] not in " ".join(sys.argv), sys.stdin.read().split(), file=sys.stderr)
sys.exit(int("fail" in os.environ["UV_DEFAULT_INDEX"]))
"""


def test_one_beside_this_python_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [tmp_path / "beside", tmp_path / "path"]
    for folder in folders:
        folder.mkdir()
        (folder / "uv").write_text("")
        (folder / "uv").chmod(0o755)
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(folders[0]))
    monkeypatch.setenv("PATH", str(folders[1]))
    assert find_uv() == str(folders[0] / "uv")
    (folders[0] / "uv").unlink()
    assert find_uv() == str(folders[1] / "uv")
    (folders[1] / "uv").unlink()
    with pytest.raises(UvMissing, match="pip install uv"):
        find_uv()


async def test_nothing_leads_it_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "uv"
    program.write_text(FAKE.format(python=sys.executable))
    program.chmod(0o755)
    for name in ("UV_INDEX", "UV_CONFIG_FILE", "PIP_INDEX_URL", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "elsewhere")
    (found,) = await resolve(str(program), ["a", "b>1"], "http://view/", python="3.10")
    assert (found.project, found.via) == ("a", ("b",))
    with pytest.raises(Unresolvable) as caught:
        await resolve(str(program), ["a", "b>1"], "http://fail/", python="3.10")
    assert str(caught.value).splitlines() == [
        "['NO_PROXY', 'UV_DEFAULT_INDEX', 'UV_HTTP_TIMEOUT']",
        "True ['a', 'b>1']",
    ]
