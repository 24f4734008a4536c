"""``init``, ``check`` and ``client``: from nothing to a configuration that works, and every mistake with its place."""

import configparser
import tomllib
from pathlib import Path

from fakes.command import quickly, wheelkeep

GOOD = """\
[sources.house]
kind = "hosted"

[sources.outer]
kind = "remote"
url = "https://packages.acme.example/simple/"

[indexes.main]
sources = ["house", "outer"]
policy = "policy.toml"
"""


def test_init_writes_what_check_finds_good(tmp_path: Path) -> None:
    made = wheelkeep("init", "keep", cwd=tmp_path)
    assert made.code == 0
    assert made.out.split() == ["keep/wheelkeep.toml", "keep/policy.toml"]
    assert "serve" in made.err
    checked = quickly("check", cwd=tmp_path / "keep")
    assert checked.code == 0
    assert "good, with 2 sources and 1 index" in checked.out
    # What is there is a person's work by now.
    (tmp_path / "keep" / "policy.toml").write_text("# mine\n")
    again = quickly("init", cwd=tmp_path / "keep")
    assert again.code == 2
    assert "is there already" in again.err
    assert (tmp_path / "keep" / "policy.toml").read_text() == "# mine\n"
    (tmp_path / "keep" / "wheelkeep.toml").unlink()
    assert quickly("init", cwd=tmp_path / "keep").code == 2
    assert not (tmp_path / "keep" / "wheelkeep.toml").exists()


def test_init_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = quickly("init", tmp_path / "file" / "keep", cwd=tmp_path)
    assert ran.code == 2
    assert "cannot be written to" in ran.err


def test_every_mistake_at_once_with_file_line_and_key(tmp_path: Path) -> None:
    (tmp_path / "wheelkeep.toml").write_text(
        GOOD.replace('kind = "remote"', 'kind = "remot"')
        .replace("[sources.house]\n", '[sources.house]\nnmaes = ["x"]\n')
        .replace('["house", "outer"]', '["house", "outr"]')
        .replace('policy = "policy.toml"', 'merge = "strickt"')
    )
    words = quickly("check", cwd=tmp_path)
    assert words.code == 2
    lines = words.out.splitlines()
    file = tmp_path / "wheelkeep.toml"
    assert [line.partition(": ")[0] for line in lines] == [f"{file}:{number}" for number in (2, 6, 10, 11)]
    for line, key, hint in zip(
        lines,
        ("sources.house.nmaes", "sources.outer.kind", "indexes.main.sources", "indexes.main.merge"),
        ("names", "remote", "outer", "strict"),
        strict=True,
    ):
        assert key in line
        assert hint in line
    told = quickly("check", "--json", cwd=tmp_path)
    assert told.code == 2
    assert told.json["ok"] is False
    assert told.json["config"] == str(file)
    assert [mistake["line"] for mistake in told.json["mistakes"]] == [2, 6, 10, 11]
    assert {"file", "line", "key", "says"} == set(told.json["mistakes"][0])


def test_mistakes_in_a_policy(tmp_path: Path) -> None:
    (tmp_path / "wheelkeep.toml").write_text(GOOD)
    (tmp_path / "policy.toml").write_text(
        '[alow]\n\n[deny]\npackages = ["not a name!"]\nsources = ["nobody"]\n'
    )
    told = quickly("check", "--json", cwd=tmp_path)
    assert told.code == 2
    assert {mistake["file"] for mistake in told.json["mistakes"]} == {str(tmp_path / "policy.toml")}
    assert [mistake["line"] for mistake in told.json["mistakes"]] == [1, 4, 5]
    assert "allow" in told.json["mistakes"][0]["says"]
    (tmp_path / "policy.toml").unlink()
    lost = quickly("check", cwd=tmp_path)
    assert lost.code == 2
    place, key, says = lost.out.split(": ", 2)
    assert (place, key) == (f"{tmp_path / 'wheelkeep.toml'}:10", "indexes.main.policy")
    assert says == f"{tmp_path / 'policy.toml'}: the policy cannot be read: No such file or directory\n"


def test_what_is_not_toml_and_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "wheelkeep.toml").write_text('data = "x"\n[sources\n')
    broken = quickly("check", cwd=tmp_path)
    assert broken.code == 2
    assert broken.out.startswith(f"{tmp_path / 'wheelkeep.toml'}:2: ")
    for ran in (
        quickly("-c", "nowhere.toml", "check", cwd=tmp_path),
        quickly("check", cwd=tmp_path, WHEELKEEP_CONFIG="nowhere.toml"),
    ):
        assert ran.code == 2
        assert "nowhere.toml" in ran.out


def test_warnings_are_no_mistakes(tmp_path: Path) -> None:
    text = GOOD.replace("https:", "http:").replace('policy = "policy.toml"\n', "")
    (tmp_path / "wheelkeep.toml").write_text('listen = "0.0.0.0:8080"\n' + text)
    words = quickly("check", cwd=tmp_path)
    assert words.code == 0
    assert "plain http" in words.out
    assert "is open to other machines" in words.out
    told = quickly("check", "--json", cwd=tmp_path).json
    assert (told["ok"], len(told["warnings"])) == (True, 2)


def test_folders_that_are_none(tmp_path: Path) -> None:
    text = GOOD.replace('kind = "hosted"', 'kind = "directory"\npath = "wheels"')
    (tmp_path / "wheelkeep.toml").write_text('data = "data"\n' + text.replace('policy = "policy.toml"\n', ""))
    words = quickly("check", cwd=tmp_path)
    assert words.code == 0
    assert f"warning: {tmp_path / 'wheelkeep.toml'}:4: sources.house.path: {tmp_path / 'wheels'}" in words.out
    (tmp_path / "wheels").mkdir()
    assert "warning" not in quickly("check", cwd=tmp_path).out
    (tmp_path / "data").write_text("")
    words = quickly("check", cwd=tmp_path)
    assert words.code == 2
    assert words.out.startswith(f"{tmp_path / 'wheelkeep.toml'}:1: data: {tmp_path / 'data'}: Not a dir")


def test_without_any_file_the_built_in_default_holds(tmp_path: Path) -> None:
    ran = quickly("check", cwd=tmp_path)
    assert ran.code == 0
    assert "the built-in default: good" in ran.out
    assert not list(tmp_path.iterdir())


def test_what_each_client_needs(tmp_path: Path) -> None:
    (tmp_path / "wheelkeep.toml").write_text(
        'public_url = "https://packages.acme.example"\n'
        + GOOD.replace('policy = "policy.toml"\n', "")
        + '\n[indexes.other]\nsources = ["outer"]\n'
    )
    simple = "https://packages.acme.example/main/simple/"
    for client in ("pip", "uv", "poetry", "pdm", "pipenv", "hatch", "twine"):
        ran = quickly("client", client, cwd=tmp_path)
        assert ran.code == 0
        text = ran.out
        if client in {"pip", "twine"}:
            parser = configparser.ConfigParser()
            parser.read_string(text)
            assert simple in text or "https://packages.acme.example/main/legacy/" in text
        else:
            assert simple in str(tomllib.loads(text))
    other = quickly("client", "uv", "--index", "other", "--json", cwd=tmp_path).json
    assert other["simple"] == "https://packages.acme.example/other/simple/"
    assert other["index"] == "other"


def test_a_client_or_an_index_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "wheelkeep.toml").write_text(GOOD.replace('policy = "policy.toml"\n', ""))
    for words, hint in ((("client", "pp"), "pip"), (("client", "pip", "--index", "mian"), "main")):
        ran = quickly(*words, cwd=tmp_path)
        assert ran.code == 2
        assert hint in ran.err
        assert ran.out == ""


def test_wrong_usage_is_exit_code_2(tmp_path: Path) -> None:
    for words in (("serv",), ("check", "--jsn"), ("explain",)):
        ran = quickly(*words, cwd=tmp_path)
        assert (ran.code, ran.out) == (2, "")
