"""What a start imports: a command should answer at once, and a server's memory holds what is of use to it."""

import json
import subprocess
import sys

from fakes.server import environment


def imported(code: str) -> set[str]:
    """Every module that is there after a process of its own ran the code."""
    tell = "; import sys, json; print(json.dumps(list(sys.modules)))"
    ran = subprocess.run(
        [sys.executable, "-c", code + tell], env=environment(), capture_output=True, text=True, check=True
    )
    return set(json.loads(ran.stdout))


def test_serve_reads_the_configuration_without_what_only_a_server_needs() -> None:
    code = "from wheelkeep.cli.main import build; build(['serve']); from wheelkeep import configuration"
    modules = imported(code + "; configuration.load(None)")
    assert modules.isdisjoint({"rich", "sqlalchemy", "aiohttp", "alembic", "distlib.index", "email.message"})
    assert "wheelkeep.cli.serve" in modules
    assert modules.isdisjoint({"wheelkeep.cli.token", "wheelkeep.cli.explain", "wheelkeep.cli.setup"})


def test_a_worker_has_nothing_that_only_commands_need() -> None:
    modules = imported("import wheelkeep.worker, wheelkeep.compose, wheelkeep.web.app")
    assert modules.isdisjoint(
        {"rich", "pygments", "typer", "alembic", "pydantic", "sigstore", "cryptography", "jinja2"}
    )


def test_a_command_is_not_looked_through_for_garbage_at_its_end() -> None:
    code = "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() > 10_000))"
    code += "; import sys; sys.argv[1:] = ['--version']; from wheelkeep.cli.main import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True
    )
    assert ran.stdout.split()[-1] == "True"
