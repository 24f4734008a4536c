from wheelkeep.core.nearest import nearest, suggestion


def test_a_slip_is_found() -> None:
    assert nearest("polcy", ["policy", "publish"]) == "policy"
    assert nearest("Policy", ["policy"]) == "policy"


def test_swapped_letters_are_found() -> None:
    assert nearest("pipy", ["local", "pypi"]) == "pypi"


def test_nothing_near() -> None:
    assert nearest("zzz", ["policy"]) is None
    assert suggestion("zzz", ["policy", "read"]) == "known here: policy, read"
    assert suggestion("zzz", []) == "none is known here"


def test_a_long_list_is_cut() -> None:
    assert suggestion("zzz", [f"s{n}" for n in range(15)]).endswith("s11 and 3 more")
