"""The acts on releases by command: what is told, what is asked, which mistakes are named, and a server that follows."""

import asyncio
import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from fakes.asgi import Inside
from fakes.ask import JSON
from fakes.command import Ran, quickly
from fakes.dists import wheel
from fakes.received import give
from fakes.server import PATIENCE, Server, environment, program
from wheelkeep.core.names import SourceName

CONFIG = """
[sources.acme]
kind = "hosted"

[sources.stage]
kind = "hosted"

[sources.wheels]
kind = "directory"
path = "."

[indexes.main]
sources = ["acme", "wheels"]
policy = "policy.toml"

[indexes.staging]
sources = ["stage", "acme"]
"""
ONE, TWO = "demo-1.0-py3-none-any.whl", "demo-2.0-py3-none-any.whl"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration, and a keep whose source ``stage`` has two versions of demo."""
    (tmp_path / "policy.toml").write_text('[deny]\npackages = ["demo==2.0"]\nreason = "INC-1"\n')

    async def fill() -> None:
        async with Inside(tmp_path, CONFIG) as inside:
            for version in ("1.0", "2.0"):
                await give(inside.keep, SourceName("stage"), *wheel("demo", version))

    asyncio.run(fill())
    return tmp_path


def run(folder: Path, *words: str) -> Ran:
    return quickly(*words, cwd=folder)


def test_yank_and_back(folder: Path) -> None:
    words = ("--source", "stage")
    done = run(folder, "yank", "demo==1.0", *words, "--reason", "broken")
    assert (done.code, done.out) == (0, f"yanked: {ONE}\n")
    again = run(folder, "yank", "demo", *words, "--reason", "broken")
    assert (again.code, again.out) == (0, f"yanked: {TWO}\nyanked before: {ONE}\n")
    assert run(folder, "unyank", "Demo<2", *words).out == f"not yanked: {ONE}\n"
    missed = run(folder, "yank", "demo>3", *words, "--reason", "broken")
    assert (missed.code, missed.out, missed.err) == (1, "", "wheelkeep: stage has no file for demo>3\n")


def test_delete_asks_where_it_can_and_insists_where_it_cannot(folder: Path) -> None:
    words = ("delete", "demo", "--source", "stage", "--reason", "leak")
    refused = run(folder, *words)
    assert (refused.code, refused.out) == (2, "")
    assert "say --yes" in refused.err
    assert asked(folder, *words, answer="n") == (1, "")
    assert asked(folder, *words, answer="y") == (0, f"deleted: {ONE}\ndeleted: {TWO}\n")
    missed = run(folder, *words, "--yes")
    assert (missed.code, missed.err) == (1, "wheelkeep: stage has no file for demo\n")


def asked(folder: Path, *words: str, answer: str) -> tuple[int, str]:
    """Runs it with a terminal to ask on: its exit code and standard output."""
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            [program(), *words],
            cwd=folder,
            env=environment(),
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            os.write(ours, f"{answer}\n".encode())
            out, err = process.communicate(timeout=PATIENCE)
    finally:
        os.close(ours)
        os.close(theirs)
    assert f"{ONE}\n{TWO}\nDelete them from stage for good?" in err
    return process.returncode, out


def test_an_emptied_name_is_kept_and_can_be_given_up(folder: Path) -> None:
    assert run(folder, "free", "demo", "--source", "stage").code == 1
    done = run(folder, "delete", "demo", "--source", "stage", "--reason", "leak", "--yes")
    assert done.code == 0
    assert "keeps the name" in done.err
    assert "wheelkeep free demo --source stage" in done.err
    freed = run(folder, "free", "Demo", "--source", "stage")
    assert (freed.code, freed.out) == (0, "demo is no longer a name of stage\n")
    assert run(folder, "free", "nothing", "--source", "stage").err == (
        "wheelkeep: stage never had a file of nothing\n"
    )


def test_project_status(folder: Path) -> None:
    words = ("--source", "stage")
    done = run(folder, "project-status", "demo", "archived", *words, "--reason", "see other")
    assert (done.code, done.out) == (0, "demo in stage: archived\n")
    assert run(folder, "project-status", "nothing", "archived", *words).code == 1
    wrong = run(folder, "project-status", "demo", "archive", *words)
    assert wrong.code == 2
    assert 'there is no status "archive": did you mean "archived"?' in wrong.err


def test_promote_moves_all_that_is_meant_or_says_what_stops_it(folder: Path) -> None:
    stopped = run(folder, "promote", "demo", "--from", "stage", "--to", "acme")
    assert (stopped.code, stopped.out) == (1, "")
    assert f"wheelkeep: the policy of main stops {TWO}: deny: " in stopped.err
    done = run(folder, "promote", "demo==1.0", "--from", "stage", "--to", "acme")
    assert (done.code, done.out, done.err) == (0, f"promoted: {ONE}\n", "")
    back = run(folder, "promote", "demo==1.0", "--from", "acme", "--to", "stage")
    assert back.code == 1
    assert "never used again" in back.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["unyank", "demo"], "say --source: acme, stage"),
        (["unyank", "demo", "--source", "stag"], '"stag" is no source: did you mean "stage"?'),
        (["unyank", "demo", "--source", "wheels"], '"wheels" is not hosted: known here: acme, stage'),
        (["unyank", "demo[x]", "--source", "stage"], "leave out the brackets"),
        (["yank", "demo", "--source", "stage"], "Missing option '--reason'"),
        (["yank", "demo", "--source", "stage", "--reason", " "], "a reason is one line"),
        (["yank", "demo", "--source", "stage", "--reason", "a\x1b[31m"], "a reason is one line"),
        (["free", "demo==1", "--source", "stage"], "is not a project name"),
        (["promote", "demo", "--from", "stage", "--to", "stage"], "--from and --to are both stage"),
        (["promote", "demo", "--from", "stage", "--to", "acne"], '"acne" is no source: did you mean "acme"?'),
    ],
)
def test_a_mistake_is_named_and_does_nothing(tmp_path: Path, words: list[str], says: str) -> None:
    (tmp_path / "wheelkeep.toml").write_text(CONFIG.replace('policy = "policy.toml"', ""))
    done = run(tmp_path, *words)
    assert (done.code, done.out) == (2, "")
    assert says in " ".join(done.err.replace("│", " ").split())
    assert not (tmp_path / "wheelkeep-data").exists()


def test_every_act_tells_it_to_programs(folder: Path) -> None:
    stage = {"project": "demo", "source": "stage"}
    acted = stage | {"files": [ONE], "same": [], "emptied": False, "problems": []}

    def told(*words: str) -> dict[str, object]:
        done = run(folder, *words, "--json")
        assert done.code == (1 if json.loads(done.out)["problems"] else 0)
        return json.loads(done.out)  # type: ignore[no-any-return]

    words = ("--source", "stage")
    assert told("yank", "demo==1.0", *words, "--reason", "broken") == acted
    assert told("unyank", "demo", *words) == acted | {"same": [TWO]}
    missed = told("unyank", "demo>3", *words)
    assert missed == acted | {"files": [], "problems": ["stage has no file for demo>3"]}
    assert told("promote", "demo==1.0", "--from", "stage", "--to", "acme") == acted | {"to": "acme"}
    status = told("project-status", "demo", "archived", *words, "--reason", "see other")
    assert status == stage | {"status": "archived", "reason": "see other", "problems": []}
    gone = told("delete", "demo", *words, "--reason", "leak", "--yes")
    assert gone == acted | {"files": [TWO], "emptied": True}
    assert told("free", "demo", *words) == stage | {"problems": []}


def test_the_only_hosted_source_need_not_be_named(tmp_path: Path) -> None:
    (tmp_path / "wheelkeep.toml").write_text(
        '[sources.acme]\nkind = "hosted"\n[indexes.main]\nsources = ["acme"]'
    )
    assert run(tmp_path, "unyank", "demo").err == "wheelkeep: acme has no file for demo\n"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_running_server_shows_it_at_once(folder: Path, workers: str) -> None:
    with Server(folder, CONFIG, options=("--workers", workers)) as server:

        def page() -> dict[str, object]:
            """What every worker says: all of them are likely to be among so many."""
            came = [server.get("/staging/simple/demo/", accept=JSON) for _ in range(12)]
            assert len({reply.body for reply in came}) == 1
            return came[0].json  # type: ignore[no-any-return]

        def yanked() -> list[object]:
            files = page()["files"]
            assert isinstance(files, list)
            return [file.get("yanked", False) for file in files]

        def file() -> set[int]:
            """What every worker answers at the file's own address."""
            return {server.get(f"/staging/files/demo/-/{TWO}").status for _ in range(12)}

        assert yanked() == [False, False]
        assert file() == {200}
        run(folder, "yank", "demo==1.0", "--source", "stage", "--reason", "broken")
        assert yanked() == ["broken", False]
        run(folder, "unyank", "demo", "--source", "stage")
        assert yanked() == [False, False]
        run(folder, "promote", "demo==1.0", "--from", "stage", "--to", "acme")
        assert yanked() == [False]
        assert server.get("/main/simple/demo/", accept=JSON).json["files"][0]["filename"] == ONE
        run(folder, "project-status", "demo", "quarantined", "--source", "stage", "--reason", "INC-7")
        assert page()["project-status"] == {"status": "quarantined", "reason": "INC-7"}
        assert yanked() == []
        assert file() == {404}
        run(folder, "project-status", "demo", "active", "--source", "stage")
        assert file() == {200}
        run(folder, "delete", "demo", "--source", "stage", "--reason", "leak", "--yes")
        assert yanked() == []
        assert file() == {404}
        run(folder, "free", "demo", "--source", "stage")
        assert yanked() == [False]
