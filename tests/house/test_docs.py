"""The documents are complete: commands, reason codes, decisions and links."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^(?:\$ )?wheelkeep (?:(?:-c|--config) \S+ )?([a-z-]+)", re.MULTILINE)


@pytest.fixture(scope="module")
def documents(texts: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if name.endswith(".md")}


@pytest.fixture(scope="module")
def commands() -> set[str]:
    """What ``wheelkeep --help`` offers."""
    _, _, listed = wheelkeep("--help").stdout.partition("Commands")
    return set(re.findall(r"^[│|]?\s{1,2}([a-z-]+)\s", listed, re.MULTILINE))


def wheelkeep(*words: str) -> subprocess.CompletedProcess[str]:
    around = {**os.environ, "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "160", "VENDOR_TOKEN": "secret"}
    program = [sys.executable, "-c", "from wheelkeep.cli.main import main; main()", *words]
    return subprocess.run(program, capture_output=True, text=True, env=around, timeout=60)


def anchors(text: str) -> set[str]:
    """The names by which a document's headings can be linked."""
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(FENCE.sub("", text)))
    return {words.strip().replace(" ", "-") for words in plain}


def test_links_resolve(documents: dict[str, str], root: Path) -> None:
    broken = []
    for name, text in documents.items():
        for link in LINK.findall(FENCE.sub("", text)):
            if link.startswith(("http://", "https://", "mailto:")):
                continue
            path, _, anchor = link.partition("#")
            target = (root / name).parent / path if path else root / name
            if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
                broken.append(f"{name}: {link}")
    assert not broken


def test_every_document_is_in_the_index(documents: dict[str, str], root: Path) -> None:
    index = documents["docs/README.md"]
    linked = {((root / "docs") / link.partition("#")[0]).resolve() for link in LINK.findall(index)}
    missing = [
        name
        for name in documents
        if name.startswith("docs/")
        and not name.startswith("docs/adr/")
        and (root / name).resolve() not in linked
    ]
    assert [name for name in missing if name != "docs/README.md"] == []


def test_every_command_has_an_entry_with_an_example(documents: dict[str, str], commands: set[str]) -> None:
    assert "serve" in commands
    entries = re.split(r"^## ", documents["docs/reference/commands.md"], flags=re.MULTILINE)[1:]
    described = {
        entry.split("\n", 1)[0]
        for entry in entries
        if any(entry.split("\n", 1)[0] in COMMAND.findall(block) for _, block in FENCE.findall(entry))
    }
    assert described == commands


def test_no_document_shows_a_command_that_is_not_there(documents: dict[str, str], commands: set[str]) -> None:
    shown = {
        (name, command)
        for name, text in documents.items()
        for _, block in FENCE.findall(text)
        for command in COMMAND.findall(block)
    }
    assert {(name, command) for name, command in shown if command not in commands} == set()


def test_every_reason_code_has_an_entry(documents: dict[str, str], sources: dict[str, str]) -> None:
    assert reason_codes(sources) == set(re.findall(r"`([a-z-]+)`", "\n".join(headings(documents))))


def headings(documents: dict[str, str]) -> list[str]:
    return [heading for heading in HEADING.findall(documents["docs/reasons.md"]) if heading.startswith("`")]


def reason_codes(sources: dict[str, str]) -> set[str]:
    """The codes that the core gives its verdicts; ``{gate.name}-…`` stands for one a gate."""
    gates: set[str] = set()
    codes: set[str] = set()
    endings: set[str] = set()
    for name, text in sources.items():
        if not name.startswith("src/wheelkeep/core/"):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef) and node.name.endswith("Gate"):
                gates |= {named for line in node.body if (named := gate_name(line))}
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                codes.add(node.value)
            elif isinstance(node, ast.JoinedStr) and isinstance(node.values[-1], ast.Constant):
                endings.add(str(node.values[-1].value))
    assert gates
    shaped = re.compile(rf"(?:{'|'.join(gates)})(?:-[a-z]+)+")
    every = {gate + ending for gate in gates for ending in endings if re.fullmatch(r"-[a-z]+", ending)}
    return {code for code in codes if shaped.fullmatch(code)} | every


def gate_name(line: ast.stmt) -> str | None:
    """What a class body's ``name = "…"`` says."""
    if not isinstance(line, ast.Assign) or not isinstance(line.value, ast.Constant):
        return None
    names = [target.id for target in line.targets if isinstance(target, ast.Name)]
    return str(line.value.value) if names == ["name"] else None


def test_every_decision_is_listed(documents: dict[str, str]) -> None:
    written = {name.removeprefix("docs/adr/") for name in documents if re.match(r"docs/adr/\d{4}-", name)}
    listed = set(re.findall(r"\((\d{4}-[a-z0-9-]+\.md)\)", documents["docs/adr/README.md"]))
    assert written == listed
    numbers = sorted(int(name[:4]) for name in written)
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_fragment_is_named_well(root: Path) -> None:
    said = subprocess.run([sys.executable, "scripts/changelog.py"], cwd=root, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr


def test_toml_examples_can_be_read(documents: dict[str, str]) -> None:
    for text in documents.values():
        for block in toml_blocks(text):
            tomllib.loads(block)


@pytest.mark.parametrize(
    ("config", "policy"),
    [
        ("docs/reference/configuration.md", "docs/guide/policy.md"),
        ("docs/guide/quickstart.md", "docs/guide/quickstart.md"),
    ],
)
def test_whole_examples_are_valid(
    documents: dict[str, str], tmp_path: Path, config: str, policy: str
) -> None:
    """The first example of a configuration, with the first one of a policy, is what ``check`` calls good."""
    first = next(block for block in toml_blocks(documents[config]) if "[sources." in block)
    (tmp_path / "wheelkeep.toml").write_text(first, encoding="utf-8")
    gates = next(block for block in toml_blocks(documents[policy]) if "[allow]" in block)
    (tmp_path / "policy.toml").write_text(gates, encoding="utf-8")
    said = wheelkeep("-c", str(tmp_path / "wheelkeep.toml"), "check")
    assert said.returncode == 0, said.stdout + said.stderr


def toml_blocks(text: str) -> list[str]:
    return [block for language, block in FENCE.findall(text) if language == "toml"]
