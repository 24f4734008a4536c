"""Sdists that mean harm, built by the command: none comes to anything, each is told why, and the rest goes on."""

from pathlib import Path

import pytest

from fakes import tools, workshop
from fakes.command import wheelkeep
from fakes.outside import Outside

pytestmark = pytest.mark.journey

CONFIG = """
data = "data"

[sources.built]
kind = "hosted"

[sources.outer]
kind = "remote"
url = "{url}"

[indexes.main]
sources = [["built", "outer"]]
"""
HARM = {
    "forks": ("while True:\n    os.fork()", "it "),
    "hoards": (
        "held = []\nwhile True:\n    held.append(b'x' * (8 << 20))",
        "it used more than 300 MiB of memory",
    ),
    "links": ("os.symlink('/etc/passwd', '/out/links-1.0-py3-none-any.whl')", "exit "),
}


def test_sdists_that_mean_harm(outside: Outside, tmp_path: Path) -> None:
    tools.sandbox()
    for name, (program, _) in HARM.items():
        outside.add(*workshop.wicked(name, program))
    outside.add(*workshop.wicked("good", "pass"))
    config = tmp_path / "wheelkeep.toml"
    config.write_text(CONFIG.format(url=outside.url))
    words = [
        "build",
        *HARM,
        "good",
        "--into",
        "built",
        "--memory",
        "300MiB",
        "--once",
        "--jobs",
        "2",
        "--json",
    ]
    ran = wheelkeep("-c", config, *words)
    assert ran.code == 1, ran.out + ran.err
    assert [made["filename"] for made in ran.json["built"]] == ["good-1.0-py3-none-any.whl"]
    failed = {one["sdist"].removesuffix("-1.0.tar.gz"): one["why"] for one in ran.json["failed"]}
    assert failed.keys() == HARM.keys()
    for name, (_, why) in HARM.items():
        assert failed[name].startswith(why), failed[name]
