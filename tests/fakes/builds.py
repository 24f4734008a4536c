"""Builds as records: what a test does not name is ordinary."""

from typing import Any

from msgspec.structs import replace

from fakes.made import NOW, sha
from wheelkeep.core.built import Built, Material, Tools
from wheelkeep.core.names import IndexName, ProjectName, SourceName
from wheelkeep.core.notes import PLAIN, PrivateKey

KEY = PrivateKey("keep.example/log", PLAIN, bytes(range(32)))
TOOLS = Tools(
    python="cpython 3.12.1", platform="linux_x86_64", uv="0.13.9", wheelkeep="0.1.0", sandboxed=True
)


def material(filename: str = "demo-1.0.tar.gz", project: str = "demo", version: str = "1.0") -> Material:
    return Material(
        project=ProjectName(project),
        version=version,
        filename=filename,
        sha256=sha(filename),
        source=SourceName("outer"),
    )


def built(**told: Any) -> Built:
    """A wheel of demo 1.0 that setuptools made."""
    ordinary = Built(
        id="00000000-0000-4000-8000-000000000001",
        index=IndexName("main"),
        path="main",
        sdist=material(),
        requirements=(material("setuptools-70.0-py3-none-any.whl", "setuptools", "70.0"),),
        tools=TOOLS,
        epoch=1_580_601_600,
        began=NOW,
        ended=NOW,
        filename="demo-1.0-py3-none-any.whl",
        sha256=sha("demo-1.0-py3-none-any.whl"),
        size=1000,
    )
    return replace(ordinary, **told)
