"""What comes with a release: what it is made of, and what is known against that."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

AT = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def script(root: Path) -> Callable[[str], ModuleType]:
    def load(name: str) -> ModuleType:
        spec = spec_from_file_location(name, root / "scripts" / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


def test_the_bill_of_materials_is_valid_and_has_all_that_is_locked(
    script: Callable[[str], ModuleType], root: Path
) -> None:
    # Its validator takes seconds to import: every worker would, to collect the tests.
    from cyclonedx.output.json import JsonV1Dot6
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    locked = (root / "requirements/run.txt").read_text()
    made, again = (
        JsonV1Dot6(script("sbom").bom(locked, version="1.0", at=AT)).output_as_string(indent=2)
        for _ in range(2)
    )
    assert made == again
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(made) is None
    told = json.loads(made)
    pins = re.findall(r"(?m)^([a-z0-9._-]+==[^ ]+)", locked)
    assert sorted(f"{part['name']}=={part['version']}" for part in told["components"]) == sorted(pins)
    assert told["metadata"]["component"]["purl"] == "pkg:pypi/wheelkeep@1.0"
    needed = {edge["ref"]: edge.get("dependsOn", []) for edge in told["dependencies"]}
    direct = {ref.partition("@")[0] for ref in needed["pkg:pypi/wheelkeep@1.0"]}
    assert {"pkg:pypi/granian", "pkg:pypi/msgspec", "pkg:pypi/sqlalchemy"} <= direct


@pytest.mark.parametrize(
    ("answer", "code", "says"),
    [
        ({"audited_packages": 2}, 0, "nothing is known against 2 versions"),
        ({"audited_packages": 1}, 3, "1 of 2 versions were audited"),
        ("", 3, "error: no way there"),
        ("[]", 3, "error: no way there"),
        (
            {"audited_packages": 2, "vulnerabilities": 1},
            1,
            "demo 1.0: X-1: it is bad; mended in 1.1, 2.0",
        ),
    ],
)
def test_what_was_not_asked_is_never_called_good(
    script: Callable[[str], ModuleType], answer: str | dict[str, int], code: int, says: str
) -> None:
    weak = {
        "dependency": {"name": "demo", "version": "1.0"},
        "id": "X-1",
        "summary": "it is bad",
        "fix_versions": ["1.1", "2.0"],
    }
    if isinstance(answer, dict):
        found = [weak] * answer.get("vulnerabilities", 0)
        answer = json.dumps({"summary": answer, "vulnerabilities": found, "adverse_statuses": []})
    errors = "warning: this is new\n  error: no way there\n"
    assert script("audit").verdict(answer, errors, 2) == (code, [says])
