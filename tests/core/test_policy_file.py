from wheelkeep.core.policy_file import GATES, PolicyFile


def test_every_gate_has_its_table() -> None:
    assert {*GATES, "waivers"} == set(PolicyFile.__struct_fields__)
