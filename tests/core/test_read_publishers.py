"""The tables of publishers: what is refused, what is warned of, and what they mean."""

from datetime import date
from pathlib import Path

import pytest

from wheelkeep.core.errors import ConfigError
from wheelkeep.core.names import SourceName
from wheelkeep.core.publishers import Claim, Pattern, Publisher
from wheelkeep.core.read_settings import read_settings
from wheelkeep.core.settings import Settings

GITHUB = "https://token.actions.githubusercontent.com"
TOP = 'public_url = "https://packages.acme.example"\n'
SAFE = '{ repository = "acme/lib", repository_owner_id = "42", workflow_ref = "acme/lib/.github/workflows/w.yml@r" }'


def read(publisher: str, top: str = TOP, more: str = "") -> Settings:
    text = f'{top}[sources.acme]\nkind = "hosted"\n[[sources.acme.publishers]]\n{publisher}\n{more}'
    return read_settings(
        text, file="wheelkeep.toml", base=Path("/etc"), secret=str, pypi_url="https://index.example/simple/"
    )


def table(issuer: str = GITHUB, claims: str = SAFE, projects: str = '["Acme_Lib"]', more: str = "") -> str:
    return f'issuer = "{issuer}"\nclaims = {claims}\nprojects = {projects}\n{more}\n'


def mistakes(publisher: str, top: str = TOP, more: str = "") -> str:
    with pytest.raises(ConfigError) as error:
        read(publisher, top, more)
    return "\n".join(str(mistake) for mistake in error.value.mistakes)


def test_what_is_written_is_meant() -> None:
    claims = '{ repository = "acme/lib", ref = [{ glob = "refs/tags/v*" }, "x"], id = 7, safe = true }'
    settings = read(table("https://ci.acme.example", claims, '["Acme_Lib", "acme-*"]', "until = 2026-12-31"))
    assert settings.publishers == (
        Publisher(
            source=SourceName("acme"),
            name="acme/lib",
            issuer="https://ci.acme.example",
            claims=(
                Claim("repository", ("acme/lib",)),
                Claim("ref", (Pattern("refs/tags/v*"), "x")),
                Claim("id", (7,)),
                Claim("safe", (True,)),
            ),
            projects=("acme-lib", "acme-*"),
            until=date(2026, 12, 31),
        ),
    )
    assert settings.audience == "packages.acme.example"
    assert settings.warnings == ()


def test_the_audience_is_the_keeps_own() -> None:
    assert (
        read(table(), TOP.replace('example"', 'example:8443/keep/"')).audience
        == "packages.acme.example:8443/keep"
    )
    named = read(table(), more='[trusted_publishing]\naudience = "acme-keep"')
    assert (named.audience, named.warnings) == ("acme-keep", ())
    shared = read(table(), more='[trusted_publishing]\naudience = "pypi"')
    assert len(shared.warnings) == 1 and "would do for the other" in shared.warnings[0]
    assert 'did you mean "audience"?' in mistakes(table(), more='[trusted_publishing]\naudiense = "x"')
    assert "one word" in mistakes(table(), more='[trusted_publishing]\naudience = "a b"')


@pytest.mark.parametrize(
    ("publisher", "says"),
    [
        (table(more='isuer = "x"'), 'did you mean "issuer"?'),
        (table(more='expires = "90d"'), "until = 2027-06-30"),
        (table("http://ci.acme.example"), "must begin with https://"),
        (table("https://ci.acme.example/?a=b"), "no '?'"),
        (table("https://u:p@ci.acme.example"), "must not hold credentials"),
        ('issuer = "https://ci.acme.example"\nprojects = ["a"]', "claims: is missing"),
        (table(claims="{}"), "is empty, so that every token"),
        (table("https://ci.acme.example", "{ x = [] }"), "nothing would ever match"),
        (table("https://ci.acme.example", "{ x = 1.5 }"), "must be a text"),
        (table("https://ci.acme.example", '{ x = { glob = "**" } }'), "says nothing"),
        (table("https://ci.acme.example", '{ x = { globb = "a*" } }'), "must be a text"),
        (table("https://ci.acme.example", '{ x = " " }'), "not blank"),
        (table("https://ci.acme.example", '{ aud = "x" }'), "is always checked"),
        (table(projects="[]"), "is empty: write names or globs"),
        (table(projects='["a b"]'), "is not a name or glob"),
        (table(more='name = " x"'), "one line"),
        (table(claims='{ environment = "release" }'), "gives them to everybody"),
        (table(claims='{ repository = { glob = "*/lib" } }'), "gives them to everybody"),
        (table(claims='{ repository = ["acme/lib", { glob = "acme*" }] }'), "gives them to everybody"),
        (table(claims='{ job_workflow_ref = "acme/lib/.github/workflows/w.yml@r" }'), "gives them to everybody"),
        (table("https://gitlab.com", '{ ref_protected = "true" }'), "gives them to everybody"),
    ],
)  # fmt: skip
def test_mistakes_are_told(publisher: str, says: str) -> None:
    assert says in mistakes(publisher)


def test_public_url_is_needed_and_only_a_hosted_source_has_publishers() -> None:
    assert "needs public_url at the top" in mistakes(table(), top="")
    text = 'kind = "directory"\npath = "x"\n[[sources.other.publishers]]\n' + table()
    assert "is a key of a hosted source" in mistakes(table(), more=f"[sources.other]\n{text}")


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        (SAFE, []),
        ('{ repository = "acme/lib" }', ["somebody else can take", "which pipeline"]),
        ('{ repository_id = "42" }', ["which pipeline"]),
        ('{ repository = { glob = "acme/*" }, environment = "release" }', ["somebody else can take"]),
        ('{ repository_id = "42", environment = "release*" }', ["{ glob = "]),
        ('{ repository_id = 42, environment = "x" }', ["quote it"]),
        ('{ repository_id = "42", environment = "x", repostory = "y" }', ['did you mean "repository"?']),
    ],
)
def test_what_is_unwise_is_warned_of(claims: str, says: list[str]) -> None:
    warnings = read(table(claims=claims)).warnings
    assert len(warnings) == len(says)
    for warning, said in zip(warnings, says, strict=True):
        assert said in warning


def test_two_issuers_publishers_have_names_of_their_own() -> None:
    again = "[[sources.acme.publishers]]\n" + table("https://ci.acme.example", '{ repository = "acme/lib" }')
    assert 'the name "acme/lib" is that of a publisher of another issuer' in mistakes(table(), more=again)
    settings = read(table(), more=f'{again}name = "ours"')
    assert [publisher.name for publisher in settings.publishers] == ["acme/lib", "ours"]
