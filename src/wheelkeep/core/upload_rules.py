"""What an upload must be: its form, its file's name, the metadata inside and the digests all say the same.

The form is that of the legacy upload API (packaging.python.org, "Upload API"). Every function gives all problems that
it can see, as sentences for whoever uploads; nothing is repaired, and nothing is stored while there is one.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from msgspec import Struct
from packaging.metadata import RawMetadata, parse_email
from packaging.requirements import InvalidRequirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import parse_wheel_filename
from packaging.version import InvalidVersion

from wheelkeep.core import checked, names
from wheelkeep.core.errors import InvalidName
from wheelkeep.core.model import Status
from wheelkeep.core.names import Kind, ProjectName
from wheelkeep.core.requirement import read_requirement

DIGESTS = {"sha256_digest": "sha256", "blake2_256_digest": "blake2b_256", "md5_digest": "md5"}
"""The fields that state a digest, and what each is called here."""
FIELDS = frozenset(
    {
        ":action", "protocol_version", "filetype", "pyversion", "metadata_version", "name", "version", "attestations",
        *DIGESTS,
    }
)  # fmt: skip
"""The fields that decide something. The others repeat what the archive says better, and are not read."""

_KINDS: dict[str, Kind] = {"bdist_wheel": "wheel", "sdist": "sdist"}
_METADATA_VERSION = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,4})+", re.ASCII)
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
# A return alone ends a field to some readers (RFC 5322 2.2 has it end none), and a requirement may follow.
_BROKEN_LINE = re.compile(rb"\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f]")
_HEX = {"sha256": 64, "blake2b_256": 64, "md5": 32}
_MOST_REQUIREMENTS = 10_000


class Claim(Struct, frozen=True, kw_only=True):
    """What a form says, as far as it can be read; None stands for what is missing or wrong."""

    project: ProjectName | None
    version: str | None
    """PEP 440, in normal form."""
    kind: Kind | None
    filename: str | None
    digests: dict[str, str]
    """Lower-case hex by the names in DIGESTS."""
    attestations: str | None
    problems: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether enough is known to look into the archive."""
        return None not in (self.project, self.version, self.kind, self.filename)


class Described(Struct, frozen=True):
    """What counts of the metadata inside an archive."""

    requires_python: str | None


def read_form(fields: Mapping[str, Sequence[str]], filename: str | None) -> Claim:
    """Reads the fields by name, each with all its values; ``filename``: of ``content``, None where that is missing."""
    problems: list[str] = []

    def one(field: str) -> str:
        values = fields.get(field, ())
        if len(values) > 1:
            problems.append(f"{field} is given {len(values)} times: give it once")
        return values[0].strip() if values else ""

    _expect(":action", one(":action"), "file_upload", problems)
    _expect("protocol_version", one("protocol_version"), "1", problems)
    metadata_version = one("metadata_version")
    if not _METADATA_VERSION.fullmatch(metadata_version):
        # A newer one than any that is known today is taken: the archive is what counts.
        problems.append(f"metadata_version is {_quoted(metadata_version)}: it must be a version such as 2.1")
    kind = _KINDS.get(filetype := one("filetype"))
    if kind is None:
        problems.append(
            f"filetype is {_quoted(filetype)}: wheels (bdist_wheel) and sdists (sdist) are taken, nothing else"
        )
    _pyversion(one("pyversion"), kind, problems)
    project = _project(one("name"), problems)
    version = _version(one("version"), "version", problems)
    digests = _digests({name: one(field) for field, name in DIGESTS.items()}, problems)
    name = _filename(filename, project, version, kind, problems)
    attestations = one("attestations") if "attestations" in fields else None
    return Claim(
        project=project,
        version=_as_in(name, project, version),
        kind=kind,
        filename=name,
        digests=digests,
        attestations=attestations,
        problems=tuple(problems),
    )


def digest_problems(stated: Mapping[str, str], came: Mapping[str, str]) -> list[str]:
    """What is wrong between the digests that the form states and those of the bytes that came."""
    fields = {name: field for field, name in DIGESTS.items()}
    return [
        f"{fields[name]} is {value}, but the bytes that came have {came[name]}: send the file again"
        if name in came
        else f"{fields[name]} must come before content, as the other digests did"
        for name, value in stated.items()
        if came.get(name) != value
    ]


def read_metadata(body: bytes, claim: Claim) -> tuple[Described, list[str]]:
    """Holds METADATA or PKG-INFO against what the form says; its other fields need not agree, the archive's win."""
    raw, unparsed = parse_email(body)
    inside = "PKG-INFO" if claim.kind == "sdist" else "METADATA"
    problems = [
        f"{inside} has {key} twice, or in a form that cannot be read"
        for key in ("metadata-version", "name", "version", "requires-python")
        if key in unparsed
    ]
    if _BROKEN_LINE.search(_BLANK_LINE.split(body, maxsplit=1)[0]):
        problems.append(f"{inside} has a line end by half, or another control character, among its fields")
    if not problems:
        problems = _inside(raw, claim, inside)
    requires = raw.get("requires_python")
    return Described(requires), problems


def filename_problem(filename: str, project: ProjectName, version: str) -> str | None:
    """Why a file of that name is none of the release, as a sentence; None: it can be one."""
    problems: list[str] = []
    _filename(filename, project, None, None, problems)
    if problems:
        return problems[0]
    told = names.filename(filename, project).version
    return None if told == version else f"{filename} is of version {told}, not of {version}"


def closed(project: ProjectName, status: Status | None) -> str | None:
    """Why a project of this status takes no uploads, as a sentence; None: it does (PEP 792)."""
    if status is None or status.status not in ("archived", "quarantined"):
        return None
    why = f" ({status.reason})" if status.reason else ""
    return f"{project} is {status.status}{why} and takes no uploads"


def _inside(raw: RawMetadata, claim: Claim, inside: str) -> list[str]:
    problems: list[str] = []
    if not _METADATA_VERSION.fullmatch(raw.get("metadata_version", "")):
        problems.append(f"{inside} has no Metadata-Version, or one that is no version")
    name = raw.get("name", "")
    try:
        agrees = names.project(name) == claim.project
    except InvalidName:
        agrees = False
    if not agrees:
        problems.append(f"{inside} says that the name is {_quoted(name)}, the form says {claim.project}")
    said: list[str] = []
    version = _version(raw.get("version", ""), f"Version in {inside}", said)
    problems += said
    if version is not None and version != claim.version:
        problems.append(f"{inside} says that the version is {version}, the form says {claim.version}")
    requires = raw.get("requires_python")
    if requires is not None:
        try:
            SpecifierSet(requires)
            if checked.requires_python(requires) is None:
                raise InvalidSpecifier(requires)
        except InvalidSpecifier:
            problems.append(
                f"Requires-Python in {inside} is {_quoted(requires)}, which is no version specifier"
            )
    return problems + _requirements(raw.get("requires_dist", []), inside)


def _requirements(texts: Sequence[str], inside: str) -> list[str]:
    if len(texts) > _MOST_REQUIREMENTS:
        return [f"{inside} has more than {_MOST_REQUIREMENTS} requirements"]
    wrong: list[str] = []
    for text in texts:
        try:
            read_requirement(text)
        except InvalidRequirement:
            # Installers stop at such a line, so the release could not be installed.
            wrong.append(f"Requires-Dist in {inside} is {_quoted(text)}, which is no requirement (PEP 508)")
    return wrong[:5]


@lru_cache(maxsize=65536)
def same_file(filename: str, owner: ProjectName) -> str:
    """A file name with all that may be spelt in several ways in one form: equal for two names of one file.

    ``Acme_Lib-1.0-py2.py3-none-any.whl`` and ``acme.lib-1.0-py3.py2-none-any.whl`` would install in each other's
    place, so a source has one of them. Raises InvalidName.
    """
    parsed = names.filename(filename, owner)
    if parsed.kind == "sdist":
        return f"{owner}-{parsed.version}"
    _, _, build, tags = parse_wheel_filename(filename)
    number = "".join(str(part) for part in build)
    return f"{owner}-{parsed.version}-{number}-{'.'.join(sorted(str(tag) for tag in tags))}"


def _expect(field: str, given: str, wanted: str, problems: list[str]) -> None:
    if given != wanted:
        problems.append(f"{field} is {_quoted(given)}: it must be {wanted}")


def _pyversion(given: str, kind: Kind | None, problems: list[str]) -> None:
    if kind == "sdist" and given not in ("", "source"):
        problems.append(f"pyversion is {_quoted(given)}: for an sdist it is source")
    elif kind == "wheel" and not given:
        problems.append("pyversion is missing: for a wheel it is its Python tag, such as py3")


def _project(given: str, problems: list[str]) -> ProjectName | None:
    try:
        return names.project(given)
    except InvalidName as error:
        problems.append(f"name is {_quoted(given)}: {error}" if given else "name is missing")
        return None


def _version(given: str, label: str, problems: list[str]) -> str | None:
    try:
        return str(names.version(given))
    except InvalidVersion:
        says = (
            f"{label} is {_quoted(given)}, which is no version (PEP 440)" if given else f"{label} is missing"
        )
        problems.append(says)
        return None


def _digests(given: Mapping[str, str], problems: list[str]) -> dict[str, str]:
    stated = {name: value.lower() for name, value in given.items() if value}
    fields = {name: field for field, name in DIGESTS.items()}
    for name, value in list(stated.items()):
        if not re.fullmatch(rf"[0-9a-f]{{{_HEX[name]}}}", value):
            problems.append(f"{fields[name]} is {_quoted(value)}: it must be {_HEX[name]} hexadecimal digits")
            del stated[name]
    if not any(given.values()):
        problems.append(f"no digest is given: give one of {', '.join(DIGESTS)}")
    return stated


def _filename(
    given: str | None,
    project: ProjectName | None,
    version: str | None,
    kind: Kind | None,
    problems: list[str],
) -> str | None:
    if given is None:
        problems.append("content is missing: it is the file itself, with its name")
        return None
    if project is None:
        return None
    try:
        parsed = names.filename(given, project)
    except InvalidName as error:
        problems.append(f"the file name does not fit: {error}")
        return None
    if parsed.kind == "sdist" and not given.endswith(".tar.gz"):
        problems.append(f"{given} is no .tar.gz: that is the one form of an sdist (PEP 625)")
        return None
    if kind is not None and parsed.kind != kind:
        problems.append(f"{given} is a file of the kind {parsed.kind}, which the filetype is not")
        return None
    if version is not None and names.version(parsed.version) != names.version(version):
        problems.append(f"{given} is of version {parsed.version}, the form says {version}")
    return given


def _as_in(filename: str | None, project: ProjectName | None, version: str | None) -> str | None:
    """A form's version as the file's name spells it, where they are equal (PEP 440: 2 is 2.0). The archive has to
    spell it so too."""
    if filename is None or project is None or version is None:
        return version
    told = names.filename(filename, project).version
    return told if names.version(told) == names.version(version) else version


def _quoted(text: str) -> str:
    """Given text as a sentence may show it."""
    return f'"{ascii(text[:100])[1:-1]}"' if text else "missing"
