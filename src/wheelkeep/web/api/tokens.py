"""Tokens: listed, made and ended. The text of one is told once, in the answer that makes it."""

import os
from datetime import UTC, datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from wheelkeep.core import token_text
from wheelkeep.core.access import read_token_name
from wheelkeep.core.known_scopes import read_known_scope
from wheelkeep.core.units import read_duration
from wheelkeep.logs import get_logger
from wheelkeep.store.tokens import NameInUse, Token
from wheelkeep.web import problem
from wheelkeep.web.api.listing import Paging, cut
from wheelkeep.web.api.operation import ADMIN, Call, Operation, Refusal

log = get_logger(__name__)


class ShownToken(Struct, frozen=True, kw_only=True):
    """What is known of a token; its text is not kept."""

    id: str
    name: str
    scopes: list[str]
    created: datetime
    expires: datetime | None
    last_used: datetime | None
    revoked: datetime | None
    minted: bool
    """By trusted publishing."""


class NewToken(ShownToken, frozen=True, kw_only=True):
    """A token just made, with its text, this once."""

    token: str


class TokenList(Struct, frozen=True, kw_only=True):
    """A page of the list, the oldest first."""

    items: list[ShownToken]
    next: str | None = None


class CreateToken(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token to be made."""

    name: Annotated[str, Meta(max_length=100, description="One line; no other token in force has it.")]
    scopes: Annotated[
        list[Annotated[str, Meta(max_length=300)]],
        Meta(
            min_length=1,
            max_length=100,
            description="`read:INDEX`, `publish:SOURCE[:PROJECT-GLOB]`, `approve`, `admin`.",
        ),
    ]
    expires: (
        Annotated[str, Meta(max_length=40, description="How long it holds, such as `90d`; else for ever.")]
        | None
    ) = None


async def _list(call: Call) -> TokenList:
    limit, given = call.query.limit, call.query.after
    after = call.read(_read_place, given, at="after") if given is not None else None
    found = await call.keep.tokens.page(after=after, limit=limit + 1)
    shown, following = cut(found, limit, lambda token: f"{token.created:%Y-%m-%dT%H:%M:%S.%fZ}/{token.id}")
    return TokenList(items=[ShownToken(**_told(token)) for token in shown], next=following)


async def _show(call: Call) -> ShownToken:
    token = await call.keep.tokens.get(call.places["id"])
    if token is None:
        raise call.not_found("no token has this id")
    return ShownToken(**_told(token))


async def _create(call: Call) -> NewToken:
    body, now = call.body, datetime.now(UTC)
    name = call.read(read_token_name, body.name, at="name")
    scopes = tuple(
        dict.fromkeys(
            call.read(read_known_scope, scope, call.keep.settings, at="scopes") for scope in body.scopes
        )
    )
    until = now + call.read(read_duration, body.expires, at="expires") if body.expires is not None else None
    text = token_text.write(os.urandom(token_text.RANDOM_BYTES))
    try:
        token = await call.keep.tokens.add(
            text, name=name, scopes=scopes, created=now, expires=until, by=call.caller.name
        )
    except NameInUse as error:
        raise Refusal(problem.conflict(call.request, (str(error),))) from None
    log.info("token_created", id=token.id, name=name, by=call.caller.name)
    return NewToken(**_told(token), token=text)


async def _revoke(call: Call) -> ShownToken:
    token = await call.keep.tokens.end(call.places["id"], datetime.now(UTC), by=call.caller.name)
    if token is None:
        raise call.not_found("no token has this id")
    log.info("token_revoked", id=token.id, name=token.name, by=call.caller.name)
    return ShownToken(**_told(token))


def _read_place(text: str) -> tuple[datetime, str]:
    moment, _, id_ = text.partition("/")
    try:
        return datetime.strptime(moment, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC), id_
    except ValueError:
        raise ValueError("this is no answer's `next`") from None


def _told(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "scopes": [str(scope) for scope in token.scopes],
        "created": _moment(token.created),
        "expires": _moment(token.expires),
        "last_used": _moment(token.last_used),
        "revoked": _moment(token.revoked),
        "minted": token.minted,
    }


def _moment(moment: datetime | None) -> datetime | None:
    """To the second, as the command shows it."""
    return moment.replace(microsecond=0) if moment is not None else None


OPERATIONS = (
    Operation(
        method="GET",
        path="/tokens",
        name="listTokens",
        says="Lists every token that there ever was, the oldest first.",
        needs=ADMIN,
        handle=_list,
        query=Paging,
        gives=TokenList,
    ),
    Operation(
        method="POST",
        path="/tokens",
        name="createToken",
        says="Makes a token and tells its text, this once.",
        needs=ADMIN,
        handle=_create,
        takes=CreateToken,
        gives=NewToken,
        status=201,
        refuses=(409,),
    ),
    Operation(
        method="GET",
        path="/tokens/{id}",
        name="showToken",
        says="Shows what is known of a token.",
        needs=ADMIN,
        handle=_show,
        gives=ShownToken,
    ),
    Operation(
        method="DELETE",
        path="/tokens/{id}",
        name="revokeToken",
        says="Ends a token for good, at once; one that ended before stays as it is.",
        needs=ADMIN,
        handle=_revoke,
        gives=ShownToken,
    ),
)
