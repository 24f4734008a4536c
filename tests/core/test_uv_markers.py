"""For which environments a uv.lock needs its packages."""

from hypothesis import given
from hypothesis import strategies as st

from wheelkeep.core.lock_uv import read_uv
from wheelkeep.core.uv_markers import Need, Package, markers

LOCK = """
version = 1

[[package]]
name = "ours"
version = "0.1"
source = { virtual = "." }
dependencies = [
    { name = "app", extra = ["fast"] },
    { name = "win", marker = "sys_platform == 'win32'" },
    { name = "np", version = "1.0", marker = "python_full_version < '3.12'" },
    { name = "np", version = "2.0", marker = "python_full_version >= '3.12'" },
]

[package.dev-dependencies]
dev = [{ name = "tests", marker = "os_name == 'nt' or os_name == 'posix'" }]

[[package]]
name = "app"
version = "1.0"
source = { registry = "x" }
dependencies = [{ name = "both", marker = "sys_platform == 'darwin'" }]

[package.optional-dependencies]
fast = [{ name = "speedups" }]
slow = [{ name = "never" }]
[[package]]
name = "win"
version = "1.0"
source = { registry = "x" }
dependencies = [{ name = "both" }, { name = "deep", marker = "python_full_version < '3.13'" }]
[[package]]
name = "both"
version = "1.0"
source = { registry = "x" }
dependencies = [{ name = "win" }]
[[package]]
name = "deep"
version = "1.0"
source = { registry = "x" }
[[package]]
name = "np"
version = "1.0"
source = { registry = "x" }
[[package]]
name = "np"
version = "2.0"
source = { registry = "x" }
[[package]]
name = "tests"
version = "1.0"
source = { registry = "x" }
[[package]]
name = "speedups"
version = "1.0"
source = { registry = "x" }
[[package]]
name = "never"
version = "1.0"
source = { registry = "x" }
"""
WIN, MAC = "(sys_platform == 'win32')", "(sys_platform == 'darwin')"


def test_a_package_is_needed_where_what_needs_it_is() -> None:
    told = {(str(one.project), one.version): one.marker for one in read_uv(LOCK, "uv.lock").entries}
    assert told["app", "1.0"] == told["speedups", "1.0"] == ""
    assert told["win", "1.0"] == told["both", "1.0"] == f"({MAC}) or ({WIN})"
    old = "(python_full_version < '3.13')"
    assert told["deep", "1.0"] == f"({old} and {MAC}) or ({old} and {WIN})"
    assert told["np", "1.0"] == "(python_full_version < '3.12')"
    assert told["np", "2.0"] == "(python_full_version >= '3.12')"
    assert told["tests", "1.0"] == "(os_name == 'nt' or os_name == 'posix')"
    assert told["never", "1.0"] == ""


NAMES = st.sampled_from("abcde")
NEEDS = st.lists(
    st.builds(Need, NAMES, st.none(), st.sampled_from(["", "x", "y", "z"]), st.just(())), max_size=4
)


@given(st.dictionaries(NAMES, NEEDS, min_size=1), st.sets(st.sampled_from("xyz")))
def test_what_holds_is_what_following_every_path_comes_to(
    graph: dict[str, list[Need]], holds: set[str]
) -> None:
    """Held against walking the graph in one environment, in which some markers hold."""
    packages = [Package(name, None, {"": needs}, name == min(graph)) for name, needs in graph.items()]
    reached, waiting = set(), [min(graph)]
    while waiting:
        if (name := waiting.pop()) not in reached and name in graph:
            reached.add(name)
            waiting += [need.name for need in graph[name] if need.marker in ("", *holds)]
    anywhere, walking = set(), [min(graph)]
    while walking:
        if (name := walking.pop()) not in anywhere and name in graph:
            anywhere.add(name)
            walking += [need.name for need in graph[name]]
    for package, marker in zip(packages, markers(packages), strict=True):
        if package.name in anywhere:
            words = {letter: str(letter in holds) for letter in "xyz"}
            said = "".join(
                words.get(letter, letter) for letter in marker.replace("and", "&").replace("or", "|")
            )
            assert bool(eval(said.replace("&", "and").replace("|", "or") or "True")) is (
                package.name in reached
            )
