"""Who may do what: scopes as tokens carry them, wants as addresses have them, and whether the one covers the other."""

from collections.abc import Iterable
from typing import Literal, TypeAlias, get_args

from msgspec import Struct

from wheelkeep.core import names, rules
from wheelkeep.core.errors import InvalidName
from wheelkeep.core.names import IndexName, ProjectName, SourceName
from wheelkeep.core.nearest import suggestion
from wheelkeep.core.one_line import read_line

ScopeWord = Literal["read", "publish", "approve", "admin"]
_WORDS: tuple[ScopeWord, ...] = get_args(ScopeWord)
_FORMS = "read:INDEX, publish:SOURCE, publish:SOURCE:PROJECT-GLOB, approve or admin"


class Read(Struct, frozen=True):
    """To see an index: its pages, its files and whatever else tells what it holds."""

    index: IndexName


class Publish(Struct, frozen=True):
    """To put a file of a project into a hosted source; without a project: to put anything there at all."""

    source: SourceName
    project: ProjectName | None = None


class Approve(Struct, frozen=True):
    """To answer what was asked for and blocked."""


class Admin(Struct, frozen=True):
    """To do everything."""


class Known(Struct, frozen=True):
    """To be known: any token that may do something."""


Want: TypeAlias = Read | Publish | Approve | Admin | Known


class Scope(Struct, frozen=True):
    """One thing that a token may do; ``str`` of it is what ``read_scope`` reads."""

    word: ScopeWord
    where: str = ""
    """The index of ``read``, the source of ``publish``; else empty."""
    glob: str = ""
    """Of ``publish``: a glob on normalised names, or one such name; empty: every project."""

    def __str__(self) -> str:
        return ":".join(part for part in (self.word, self.where, self.glob) if part)


class Caller(Struct, frozen=True):
    """Who asks, once it is proven: the token's name and what it may do."""

    name: str
    scopes: tuple[Scope, ...]

    @property
    def is_admin(self) -> bool:
        return allows(self.scopes, Admin())


def read_scope(text: str) -> Scope:
    """Reads ``read:INDEX``, ``publish:SOURCE[:PROJECT-GLOB]``, ``approve`` or ``admin``; whether the index or
    source exists is asked elsewhere.

    Raises ValueError with a sentence that says what to write.
    """
    word, *rest = text.split(":")
    try:
        match word, rest:
            case "read", [where]:
                return Scope("read", names.index(where))
            case "publish", [where]:
                return Scope("publish", names.source(where))
            case "publish", [where, glob]:
                return Scope("publish", names.source(where), rules.read_glob(glob))
            case "approve", []:
                return Scope("approve")
            case "admin", []:
                return Scope("admin")
    except InvalidName as error:
        raise ValueError(f'the scope "{text[:80]}" cannot be read: {error}') from None
    if word in _WORDS:
        raise ValueError(f'the scope "{text[:80]}" is not complete or says too much: write {_FORMS}')
    hint = suggestion(word, _WORDS)
    raise ValueError(f'the scope "{text[:80]}" begins with a word that is none: {hint}')


def read_token_name(text: str) -> str:
    """What a token is to be called; raises ValueError."""
    if text != text.strip():
        raise ValueError("a name has no spaces at its ends")
    return read_line(text, what="a name", most=100)


def allows(scopes: Iterable[Scope], want: Want) -> bool:
    """Whether any of the scopes covers the want. ``admin`` covers all; nothing else implies anything else."""
    return any(scope.word == "admin" or _covers(scope, want) for scope in scopes)


def _covers(scope: Scope, want: Want) -> bool:
    match want:
        case Read(index):
            return scope.word == "read" and scope.where == index
        case Publish(source, project):
            if scope.word != "publish" or scope.where != source:
                return False
            return not scope.glob or project is None or names.matches(scope.glob, project)
        case Approve():
            return scope.word == "approve"
        case Admin():
            return False
        case Known():
            return True


def needed(want: Want) -> str:
    """The narrowest scope that covers the want, as text, for a sentence to whoever lacks it."""
    match want:
        case Read(index):
            return str(Scope("read", index))
        case Publish(source, project):
            return str(Scope("publish", source, project or ""))
        case Approve():
            return "approve"
        case Admin():
            return "admin"
        case Known():
            return "of any kind"
