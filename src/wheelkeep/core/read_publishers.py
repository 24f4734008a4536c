"""The ``[[sources.NAME.publishers]]`` tables, and what is known of issuers that the whole world shares."""

from collections.abc import Iterable

from msgspec import Struct

from wheelkeep.core import places, rules
from wheelkeep.core.names import SourceName
from wheelkeep.core.nearest import nearest
from wheelkeep.core.publishers import Claim, Pattern, Publisher, Wanted
from wheelkeep.core.toml_source import Document, Table

_CHECKED = ("iss", "aud", "exp", "nbf", "iat", "jti")
_AS_TEXT = {"ref_protected", "environment_protected", "run_id", "project_id", "namespace_id"}
_LONGEST = 500
_LONGEST_NAME = 90
"""With ``publishers.MINTED`` before it, no longer than any token's."""
_NAMING = ("repository", "project_path", "pipeline_slug", "email", "sub")
_EXAMPLE = 'such as claims = { repository = "acme/lib", workflow_ref = "…" }'


class _Shared(Struct, frozen=True):
    """An issuer that gives tokens to everybody who has an account there."""

    owners: tuple[str, ...]
    """The claims that tell whose token it is: one of them must be asked for."""
    lasting: tuple[str, ...]
    """Those of them that no one else can take over when an account is renamed or deleted."""
    places: tuple[str, ...]
    """The claims that tell which pipeline of the owner's it is."""
    others: str
    """More of its claims, with spaces between."""


_GITHUB = _Shared(
    owners=("repository", "repository_id", "repository_owner", "repository_owner_id", "workflow_ref", "sub"),
    lasting=("repository_id", "repository_owner_id"),
    places=("workflow_ref", "job_workflow_ref", "environment"),
    others="actor actor_id base_ref event_name head_ref job_workflow_sha ref ref_protected ref_type "
    "repository_visibility run_attempt run_id run_number runner_environment sha workflow workflow_sha",
)
_GITLAB = _Shared(
    owners=("project_path", "project_id", "namespace_path", "namespace_id", "sub"),
    lasting=("project_id", "namespace_id"),
    places=("ci_config_ref_uri", "environment", "ref_protected"),
    others="ci_config_sha deployment_tier environment_action environment_protected job_id pipeline_id pipeline_source "
    "project_visibility ref ref_path ref_type runner_environment runner_id sha user_email user_id user_login",
)
_GOOGLE = _Shared(
    owners=("email", "sub"), lasting=("sub",), places=("email", "sub"), others="azp email_verified hd"
)
_BUILDKITE = _Shared(
    owners=("organization_slug", "organization_id", "sub"),
    lasting=("organization_id",),
    places=("pipeline_slug", "pipeline_id", "sub"),
    others="agent_id build_branch build_commit build_number build_tag job_id step_key",
)
_SHARED = {
    "https://token.actions.githubusercontent.com": _GITHUB,
    "https://gitlab.com": _GITLAB,
    "https://accounts.google.com": _GOOGLE,
    "https://agent.buildkite.com": _BUILDKITE,
}


def read_publishers(table: Table, source: SourceName) -> tuple[Publisher, ...]:
    """The publishers of a hosted source's table in written order; mistakes are noted in the document."""
    return tuple(_read_publisher(entry, source) for entry in table.tables("publishers"))


def refuse_shared_titles(publishers: Iterable[tuple[int, Publisher]], document: Document) -> None:
    """Two issuers' publishers of one name would be one owner to whoever reads it. The number is the table's place."""
    first: dict[str, Publisher] = {}
    for at, publisher in publishers:
        other = first.setdefault(publisher.name, publisher)
        if other.issuer != publisher.issuer:
            says = f'the name "{publisher.name}" is that of a publisher of another issuer: write a name of its own'
            document.wrong(("sources", publisher.source, "publishers", at, "name"), says)


def _read_publisher(table: Table, source: SourceName) -> Publisher:
    table.need("issuer", 'write who signs its tokens, such as "https://token.actions.githubusercontent.com"')
    issuer = table.parsed("issuer", places.read_issuer) or ""
    claims = _read_claims(table, _SHARED.get(issuer))
    table.need("projects", f'write what it may publish to {source}, such as projects = ["acme-lib"]')
    projects = table.each("projects", rules.read_glob)
    if projects == () and not table.elements("projects"):
        table.wrong("projects", 'is empty: write names or globs, such as ["acme-lib"], or ["*"] for all')
    shared = _SHARED.get(issuer)
    if shared is not None and claims:
        _judge(table, claims, shared)
    name = table.parsed("name", _read_name) or _title(claims)
    publisher = Publisher(
        source=source,
        name=name,
        issuer=issuer,
        claims=claims,
        projects=projects or (),
        until=table.day("until"),
    )
    table.done({"expires": "is written as the last day on which it holds: until = 2027-06-30"})
    return publisher


def _title(claims: tuple[Claim, ...]) -> str:
    """The name of a publisher that was given none: what its most telling claim must be."""
    by_name = {claim.name: claim for claim in claims}
    telling = next((by_name[name] for name in _NAMING if name in by_name), claims[0] if claims else "")
    return "".join(letter if letter.isprintable() else " " for letter in str(telling)).strip()[:_LONGEST_NAME]


def _read_name(text: str) -> str:
    if text != text.strip() or not text.isprintable() or len(text) > _LONGEST_NAME:
        raise ValueError(f"must be one line of at most {_LONGEST_NAME} letters, without spaces at its ends")
    return text


def _read_claims(table: Table, shared: _Shared | None) -> tuple[Claim, ...]:
    table.need("claims", f"without it every token of the issuer would do: write which, {_EXAMPLE}")
    written = table.table("claims")
    if written is None:
        return ()
    if not written.keys:
        table.wrong(
            "claims", f"is empty, so that every token of the issuer would do: write which, {_EXAMPLE}"
        )
    claims = []
    for name in written.keys:
        values = _read_values(written, name)
        if name in _CHECKED:
            written.wrong(name, "is always checked, and not here: leave it out")
        elif values:
            claims.append(Claim(name, values))
            if shared is not None:
                _check_known(written, claims[-1], shared)
    return tuple(claims)


def _check_known(table: Table, claim: Claim, shared: _Shared) -> None:
    """Warns of what an issuer's tokens, as far as they are known, cannot meet."""
    known = (*shared.owners, *shared.places, *shared.others.split())
    near = None if claim.name in known else nearest(claim.name, known)
    if near is not None:
        table.warn(claim.name, f'is no claim that this issuer is known to make: did you mean "{near}"?')
    if claim.name in _AS_TEXT | set(shared.lasting) and any(isinstance(one, int) for one in claim.any_of):
        table.warn(
            claim.name, "is text in this issuer's tokens, and a number or truth never meets it: quote it"
        )


def _read_values(table: Table, name: str) -> tuple[Wanted, ...]:
    given = table.anything(name)
    listed = given if isinstance(given, list) else [given]
    if not listed:
        table.wrong(name, "is an empty list: nothing would ever match")
    found = []
    for at, value in enumerate(listed):
        wanted = _wanted(value)
        if isinstance(wanted, Exception):
            table.wrong(name, str(wanted), element=at if isinstance(given, list) else None)
        else:
            found.append(wanted)
            if isinstance(value, str) and set(value) & set("*?"):
                table.warn(name, f'is compared letter by letter; a pattern is written {{ glob = "{value}" }}')
    return tuple(found)


def _wanted(value: object) -> Wanted | ValueError:
    if isinstance(value, dict) and set(value) == {"glob"}:
        glob = value["glob"]
        if not isinstance(glob, str) or not glob.strip("*?") or len(glob) > _LONGEST:
            return ValueError("has a glob that says nothing: write a text with more than stars in it")
        return Pattern(glob)
    if isinstance(value, str) and (not value.strip() or len(value) > _LONGEST):
        return ValueError("must be a text that is not blank, and not longer than a claim is")
    # Of numbers, only whole ones are compared; true and false are among them to Python, and kept apart by their type.
    if isinstance(value, str | int):
        return value
    return ValueError('must be a text, a whole number, true or false, { glob = "…" }, or a list of these')


def _judge(table: Table, claims: tuple[Claim, ...], shared: _Shared) -> None:
    """Refuses claims that a stranger's token could meet; warns of those that could change hands."""
    asked = {claim.name for claim in claims}
    if not any(claim.name in shared.owners and _says_who(claim) for claim in claims):
        wanted = ", ".join(shared.owners)
        says = f"does not say whose tokens: this issuer gives them to everybody. Write one of {wanted}"
        table.wrong("claims", f'{says}, whole, or as a glob with the owner fixed, such as "acme/*"')
        return
    if not asked & set(shared.lasting):
        names = " or ".join(shared.lasting)
        says = f"rests on a name that somebody else can take once it is given up: add {names}"
        table.warn("claims", says)
    if not asked & set(shared.places):
        says = "does not say which pipeline: whoever can start any of the owner's can publish; add one of "
        table.warn("claims", says + ", ".join(shared.places))


def _says_who(claim: Claim) -> bool:
    return all(not isinstance(one, Pattern) or one.names_an_owner for one in claim.any_of)
