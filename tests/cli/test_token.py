"""``token``: the token alone on standard output, once; mistakes named with what was likely meant."""

import json
import re
import time
from pathlib import Path

import pytest

from fakes.command import Ran, quickly, wheelkeep
from fakes.server import PATIENCE, Server
from wheelkeep.cli.main import command

CONFIG = """
[sources.acme]
kind = "hosted"

[sources.wheels]
kind = "directory"
path = "wheelhouse"

[indexes.main]
sources = ["acme", "wheels"]
read = "token"

[indexes.open]
sources = ["wheels"]
"""
TOKEN = re.compile(r"wk_[0-9A-Za-z]{11}_[0-9A-Za-z]{39}\n")


class Tool:
    """The ``token`` command on one configuration."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = str(folder / "wheelkeep.toml")
        (folder / "wheelhouse").mkdir(exist_ok=True)
        Path(self.config).write_text(CONFIG)

    def __call__(self, *words: str) -> Ran:
        return quickly("token", *words, cwd=self.folder)

    def create(self, name: str, *scopes: str) -> str:
        made = self("create", "--name", name, *(word for scope in scopes for word in ("--scope", scope)))
        assert made.code == 0, made.err
        return made.out.strip()


@pytest.fixture
def token(tmp_path: Path) -> Tool:
    return Tool(tmp_path)


def test_create_prints_the_token_alone_and_list_never_again(token: Tool) -> None:
    scopes = ["read:main", "publish:acme:Acme_*", "read:main", "approve"]
    told = [word for scope in scopes for word in ("--scope", scope)]
    made = wheelkeep("token", "create", "--name", "ci", *told, "--expires", "90d", cwd=token.folder)
    assert made.code == 0
    assert TOKEN.fullmatch(made.out)
    assert re.search(r'token "ci" \(read:main, publish:acme:acme-\*, approve\) expires 20\d\d-', made.err)
    secret = made.out.strip()
    assert secret not in made.err
    token.create("for-ever", "admin")

    listed = token("list", "--json")
    one, two = json.loads(listed.out)
    assert list(one) == ["id", "name", "scopes", "created", "expires", "last_used", "revoked", "minted"]
    assert (one["name"], one["scopes"]) == ("ci", ["read:main", "publish:acme:acme-*", "approve"])
    assert secret.startswith(f"wk_{one['id']}_")
    assert (one["last_used"], one["revoked"], two["expires"]) == (None, None, None)
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", one["expires"])
    words = token("list").out
    assert re.search(
        r"^ci: read:main, publish:acme:acme-\*, approve; created \S+; expires \S+; never used$", words, re.M
    )
    assert secret.split("_")[2] not in listed.out + words


def test_create_tells_it_to_programs(token: Tool) -> None:
    made = json.loads(token("create", "--name", "ci", "--scope", "admin", "--json").out)
    assert TOKEN.fullmatch(made["token"] + "\n")
    (listed,) = json.loads(token("list", "--json").out)
    assert made == listed | {"token": made["token"]}


def test_revoke_ends_a_token_and_frees_its_name(token: Tool) -> None:
    first = token.create("ci", "read:main")
    taken = token("create", "--name", "ci", "--scope", "read:main")
    assert (taken.code, taken.out) == (2, "")
    assert 'there is a token called "ci" already' in taken.err
    missed = token("revoke", "ic")
    assert (missed.code, missed.out) == (1, "")
    assert 'there is no token called "ic": did you mean "ci"?' in missed.err
    assert token("revoke", "ci").code == 0
    again = token("revoke", "ci")
    assert again.code == 1
    assert '"ci" is revoked already' in again.err
    assert token.create("ci", "read:main") != first
    assert [bool(one["revoked"]) for one in json.loads(token("list", "--json").out)] == [True, False]
    assert re.search(r"^ci: .*; revoked \S+$", token("list").out, re.M)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--scope", "read:mian"], '--scope read:mian: there is no index "mian": did you mean "main"?'),
        (["--scope", "read:elsewhere"], 'there is no index "elsewhere": known here: main, open'),
        (["--scope", "publish:amce"], 'there is no source "amce": did you mean "acme"?'),
        (
            ["--scope", "publish:wheels"],
            '"wheels" takes no uploads, only a hosted source does: known here: acme',
        ),
        (["--scope", "raed:main"], 'begins with a word that is none: did you mean "read"?'),
        (
            ["--scope", "read"],
            "write read:INDEX, publish:SOURCE, publish:SOURCE:PROJECT-GLOB, approve or admin",
        ),
        (["--scope", "publish:acme:a b"], '"a b" is not a name or glob'),
        (["--scope", "admin", "--scope", "nothing"], 'the scope "nothing"'),
        (
            ["--scope", "admin", "--expires", "soon"],
            '--expires "soon" is not a time: write a number and one of',
        ),
        (["--scope", "admin", "--expires", "0d"], "--expires"),
        (["--scope", "admin", "--name", ""], "a name is one line"),
        (["--scope", "admin", "--name", "a\x1b[31m"], "a name is one line"),
        (["--scope", "admin", "--name", "a" * 101], "a name is one line"),
        ([], "Missing option '--scope'"),
    ],
)
def test_a_mistake_is_named_and_makes_nothing(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    says: str,
) -> None:
    config = Tool(tmp_path).config
    monkeypatch.setattr("sys.argv", ["wheelkeep", "-c", config, "token", "create", "--name", "ci", *words])
    with pytest.raises(SystemExit) as ended:
        command()
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (2, "")
    assert says in said.err
    assert not (tmp_path / "wheelkeep-data").exists()


def test_beside_a_running_server(tmp_path: Path) -> None:
    """What one process makes or revokes, the others know at once, or nearly."""
    token = Tool(tmp_path)
    with Server(tmp_path, CONFIG) as server:

        def get(secret: str) -> int:
            return server.get("/main/simple/", authorization=f"Bearer {secret}").status

        made = token.create("ci", "read:main")
        assert get(made) == 200
        assert token("revoke", "ci").code == 0
        # What a token may is remembered for a fifth of a second.
        until = time.monotonic() + PATIENCE
        while get(made) == 200:
            assert time.monotonic() < until
        assert get(made) == 401
        assert get(token.create("ci", "read:main")) == 200
    old, new = json.loads(token("list", "--json").out)
    assert old["last_used"] and new["last_used"]
    assert made not in server.log
