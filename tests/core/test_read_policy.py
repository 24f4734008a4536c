from datetime import date, timedelta

import pytest

from wheelkeep.core.errors import ConfigError
from wheelkeep.core.names import SourceName
from wheelkeep.core.policy_file import (
    AdvisoriesTable,
    AllowTable,
    CooldownTable,
    DenyTable,
    FormatsTable,
    HashesTable,
    LicencesTable,
    PolicyFile,
    ProvenanceTable,
)
from wheelkeep.core.read_policy import read_policy
from wheelkeep.core.rules import read_rule
from wheelkeep.core.verdict import Waiver

LOCAL, VENDOR, PYPI = SourceName("local"), SourceName("vendor"), SourceName("pypi")
SOURCES = {LOCAL: False, VENDOR: True, PYPI: True}


def read(text: str) -> PolicyFile:
    return read_policy(text, file="p.toml", sources=SOURCES)


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(text)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_no_policy_still_remembers_bytes() -> None:
    assert read("") == PolicyFile(hashes=HashesTable(first_seen=True, sources=(VENDOR, PYPI)))


def test_every_table() -> None:
    policy = read(
        f"""
        [allow]
        packages = ["django>=5,<6", "requests", "acme-*"]
        locks = ["requirements.txt"]
        sources = ["pypi"]
        [deny]
        packages = ["ctx"]
        hashes = ["sha256:{"AB" * 32}"]
        reason = "INC-42"
        [cooldown]
        age = "7d"
        fixes = true
        except = ["acme-*"]
        [hashes]
        first_seen = true
        required = true
        [advisories]
        severity = "high"
        [licences]
        allow = ["mit", "BSD-3-Clause", "GPL-2.0-only WITH Classpath-exception-2.0"]
        unknown = "admit"
        [formats]
        wheels_only = true
        max_size = "500MB"
        [provenance]
        required = ["cryptography"]
        ratchet = true
        """
    )
    remote = (VENDOR, PYPI)
    acme = read_rule("acme-*", globs=True)
    assert policy == PolicyFile(
        allow=AllowTable(
            packages=(read_rule("django>=5,<6"), read_rule("requests"), acme),
            locks=("requirements.txt",),
            sources=(PYPI,),
        ),
        deny=DenyTable(
            packages=(read_rule("ctx"),),
            hashes=("ab" * 32,),
            reason="INC-42",
            sources=(LOCAL, VENDOR, PYPI),
        ),
        cooldown=CooldownTable(age=timedelta(days=7), fixes=True, except_=(acme,), sources=remote),
        hashes=HashesTable(first_seen=True, required=True, sources=remote),
        advisories=AdvisoriesTable(severity="high", sources=remote),
        licences=LicencesTable(
            allow=("MIT", "BSD-3-Clause", "GPL-2.0-only WITH Classpath-exception-2.0"),
            unknown="admit",
            sources=remote,
        ),
        formats=FormatsTable(wheels_only=True, max_size=500_000_000, sources=remote),
        provenance=ProvenanceTable(required=(read_rule("cryptography"),), ratchet=True, sources=remote),
    )


def test_empty_tables_of_gates_that_are_there() -> None:
    policy = read("[allow]\n[deny]\n[hashes]\n")
    assert policy.allow == AllowTable(sources=(VENDOR, PYPI))
    assert policy.deny == DenyTable(sources=(LOCAL, VENDOR, PYPI))
    assert policy.hashes == HashesTable(sources=(VENDOR, PYPI))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[coldown]", 'coldown: is not a known key: did you mean "cooldown"?'),
        ("allow = []", "allow: must be a table: write [allow]"),
        ("[[allow]]", "allow: must be a table"),
        ('[allow]\npackage = ["x"]', 'did you mean "packages"?'),
        ('[allow]\npackages = ["x[y]"]', "packages[0]: "),
        (
            '[allow]\nsources = ["pipy"]',
            'allow.sources[0]: "pipy" is not a source of the configuration: did you mean "pypi"?',
        ),
        ("[deny]\nsources = []", "deny.sources: is empty, so the gate would do nothing"),
        ('[deny]\nhashes = ["md5:00"]', "is not a hash"),
        ('[deny]\nhashes = ["sha256:00"]', "is not a hash"),
        ('[deny]\nreason = "a\\nb"', "must be one line"),
        ("[cooldown]", "cooldown.age: is missing"),
        ('[cooldown]\nage = "7 days"', "is not a time"),
        ("[cooldown]\nage = 7", 'write "7s"'),
        ('[cooldown]\nage = "7d"\nfixes = "yes"', "must be true or false"),
        ('[hashes]\nfirst_seen = "on"', "must be true or false"),
        ("[advisories]", "advisories.severity: is missing"),
        ('[advisories]\nseverity = "hgih"', 'did you mean "high"?'),
        ("[licences]", "licences.allow: is missing"),
        ('[licences]\nallow = ["MIT License"]', "is not an SPDX identifier"),
        ('[licences]\nallow = ["MIT OR Apache-2.0"]', "more than one licence"),
        ('[licences]\nallow = ["MIT"]\nunknown = "allow"', "known here: block, admit"),
        ("[licenses]\nallow = []", 'did you mean "licences"?'),
        ('[formats]\nmax_size = "500"', "is not a size"),
        ("[formats]\nmax_size = 500", 'write "500B"'),
        ('[provenance]\nrequired = "x"', 'write ["x"]'),
    ],
)
def test_mistakes(text: str, words: str) -> None:
    (mistake,) = mistakes(text)
    assert words in mistake
    assert mistake.startswith("p.toml:")


WAIVER = {
    "package": '"urllib3==2.5.1"',
    "gates": '["deny", "allow"]',
    "reason": '"CVE-2026-1234"',
    "by": '"security@acme.example"',
    "until": "2026-12-31",
}


def waiver(**changed: str | None) -> str:
    lines = [f"{key} = {value}" for key, value in {**WAIVER, **changed}.items() if value is not None]
    return "\n".join(["[[waiver]]", *lines])


def test_waivers() -> None:
    second = waiver(package='"Acme_Lib"', until='"2027-01-01"')
    policy = read(f"{waiver()}\n{second}")
    first = Waiver(
        package="urllib3==2.5.1",
        gates=("deny", "allow"),
        reason="CVE-2026-1234",
        by="security@acme.example",
        until=date(2026, 12, 31),
    )
    assert policy.waivers[0] == first
    assert policy.waivers[1].package == "Acme_Lib"
    assert policy.waivers[1].until == date(2027, 1, 1)


@pytest.mark.parametrize("key", WAIVER)
def test_a_waiver_needs_everything(key: str) -> None:
    (mistake,) = mistakes(waiver(**{key: None}))
    assert mistake.startswith(f"p.toml:1: waiver[0].{key}: is missing")


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("package", '"acme-*"', "is not a name: a glob stands for many"),
        ("package", '"x[y]"', "has an extra"),
        ("gates", "[]", "is empty"),
        ("gates", '"deny"', 'write ["deny"]'),
        ("gates", '["cooldwn"]', 'did you mean "cooldown"?'),
        ("reason", '" "', "is empty"),
        ("by", '""', "is empty"),
        ("until", "2026-12-31T00:00:00Z", "must be a date such as 2026-12-31"),
        ("until", '"soon"', "is not a date"),
        ("untill", '"x"', 'did you mean "until"?'),
    ],
)
def test_mistakes_in_waivers(key: str, value: str, words: str) -> None:
    (mistake,) = mistakes(waiver(**{key: value}))
    assert mistake.startswith("p.toml:")
    assert f"waiver[0].{key}" in mistake
    assert words in mistake


def test_one_waiver_alone_has_two_brackets_too() -> None:
    (mistake,) = mistakes(waiver().replace("[[waiver]]", "[waiver]"))
    assert "write [[waiver]] with two brackets" in mistake


def test_all_mistakes_are_told_at_once() -> None:
    told = mistakes(f"{waiver(until=None)}\n[deny]\nreason = 3\n[alow]\n")
    assert [mistake.split(": ")[1] for mistake in told] == ["waiver[0].until", "deny.reason", "alow"]
