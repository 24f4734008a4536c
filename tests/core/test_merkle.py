"""Roots of published trees by value; proofs against the definitions of RFC 6962, written as they stand there."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelkeep.core import merkle

# The eight leaves, and the roots of the first of them, by which implementations of RFC 6962 are tested.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SIZES = st.integers(1, 600)


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH, section 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = largest_power_below(len(leaves))
    return merkle.node_hash(naive_root(leaves[:k]), naive_root(leaves[k:]))


def naive_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH, section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = largest_power_below(len(leaves))
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_proof(m: int, leaves: list[bytes], known: bool = True) -> list[bytes]:
    """SUBPROOF, section 2.1.2."""
    if m == len(leaves):
        return [] if known else [naive_root(leaves)]
    k = largest_power_below(len(leaves))
    if m <= k:
        return [*naive_proof(m, leaves[:k], known), naive_root(leaves[k:])]
    return [*naive_proof(m - k, leaves[k:], False), naive_root(leaves[:k])]


def largest_power_below(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def some_leaves(count: int, salt: bytes = b"") -> list[bytes]:
    return [merkle.leaf_hash(salt + b"%d" % at) for at in range(count)]


def nodes_of(leaves: list[bytes]) -> merkle.Nodes:
    return lambda level, index: naive_root(leaves[index << level : (index + 1) << level])


@pytest.mark.parametrize("size", range(9))
def test_published_roots(size: int) -> None:
    leaves = [merkle.leaf_hash(entry) for entry in LEAVES[:size]]
    growing = merkle.Frontier()
    for leaf in leaves:
        growing.add(leaf)
    assert growing.root().hex() == merkle.root(size, nodes_of(leaves)).hex() == ROOTS[size]


@given(SIZES)
def test_both_ways_to_a_root_are_the_definition(size: int) -> None:
    leaves = some_leaves(size)
    growing = merkle.Frontier()
    for leaf in leaves:
        growing.add(leaf)
    assert growing.root() == merkle.root(size, nodes_of(leaves)) == naive_root(leaves)


@given(SIZES, st.data())
def test_inclusion_is_the_definition_and_verifies(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = some_leaves(size)
    proof = [merkle.hash_of(span, nodes_of(leaves)) for span in merkle.inclusion_ranges(index, size)]
    assert proof == naive_path(index, leaves)
    root = naive_root(leaves)
    assert merkle.includes(leaves[index], index, size, proof, root)
    assert not merkle.includes(merkle.leaf_hash(b"other"), index, size, proof, root)
    assert not merkle.includes(leaves[index], index, size, [*proof, root], root)
    if size > 1:
        assert not merkle.includes(leaves[index], (index + 1) % size, size, proof, root)
        assert not merkle.includes(leaves[index], index, size, proof[:-1], root)


@given(SIZES, st.data())
def test_consistency_is_the_definition_and_verifies(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size))
    leaves = some_leaves(size)
    proof = [merkle.hash_of(span, nodes_of(leaves)) for span in merkle.consistency_ranges(old, size)]
    assert proof == naive_proof(old, leaves)
    old_root, root = naive_root(leaves[:old]), naive_root(leaves)
    assert merkle.extends(old, old_root, size, root, proof)
    assert not merkle.extends(old, merkle.EMPTY, size, root, proof)
    assert not merkle.extends(old, old_root, size, merkle.EMPTY, proof)
    assert not merkle.extends(old, old_root, size, root, [*proof, root])


@given(SIZES, st.data())
def test_no_proof_joins_two_histories(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size))
    leaves, others = some_leaves(size), some_leaves(size, b"forged")
    for told in (leaves, others):
        proof = [merkle.hash_of(span, nodes_of(told)) for span in merkle.consistency_ranges(old, size)]
        assert not merkle.extends(old, naive_root(leaves[:old]), size, naive_root(others), proof)


def test_the_empty_tree_begins_every_tree_and_no_tree_shrinks() -> None:
    root = naive_root(some_leaves(5))
    assert merkle.consistency_ranges(0, 5) == []
    assert merkle.extends(0, merkle.EMPTY, 5, root, [])
    assert not merkle.extends(0, root, 5, root, [])
    assert not merkle.extends(5, root, 4, root, [])
    assert not merkle.includes(root, 0, 0, [], root)
    with pytest.raises(ValueError, match="no beginning"):
        merkle.consistency_ranges(6, 5)
    with pytest.raises(ValueError, match="no leaf 5"):
        merkle.inclusion_ranges(5, 5)
