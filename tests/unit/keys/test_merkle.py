from __future__ import annotations

import hashlib

import pymerkle
import pytest

from keys.errors import ProofRefused
from keys.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33]
# Leaves and roots of RFC 6962's reference implementation (google/certificate-transparency, merkle tests).
KNOWN = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(b"entry %d" % n) for n in range(count)]


@pytest.mark.parametrize("size", ROOTS)
def test_roots_agree_with_the_reference_implementation(size: int) -> None:
    assert root([leaf_hash(bytes.fromhex(text)) for text in KNOWN[:size]]).hex() == ROOTS[size]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert root([]) == EMPTY_ROOT == hashlib.sha256(b"").digest()


@pytest.mark.parametrize("size", SIZES)
def test_every_entry_is_proven_and_no_other_passes(size: int) -> None:
    hashes = leaves(size)
    head = root(hashes)
    for index, leaf in enumerate(hashes):
        proof = inclusion_proof(hashes, index)
        verify_inclusion(leaf, index, size, proof, head)
        with pytest.raises(ProofRefused):
            verify_inclusion(leaf_hash(b"another"), index, size, proof, head)
        with pytest.raises(ProofRefused):
            verify_inclusion(leaf, index, size, [*proof, head], head)
        for wrong in (index + 1, index - 1, size):
            with pytest.raises(ProofRefused):
                verify_inclusion(leaf, wrong, size, proof, head)
        for at in range(len(proof)):
            bad = [*proof[:at], bytes(32), *proof[at + 1 :]]
            with pytest.raises(ProofRefused):
                verify_inclusion(leaf, index, size, bad, head)
            with pytest.raises(ProofRefused):
                verify_inclusion(leaf, index, size, proof[:at] + proof[at + 1 :], head)


@pytest.mark.parametrize("size", SIZES)
def test_every_earlier_tree_is_proven_and_a_rewritten_one_is_not(size: int) -> None:
    hashes = leaves(size)
    head = root(hashes)
    for before in range(1, size + 1):
        proof = consistency_proof(hashes, before)
        verify_consistency((before, root(hashes[:before])), (size, head), proof)
        forged = root([leaf_hash(b"another"), *hashes[1:before]])
        with pytest.raises(ProofRefused):
            verify_consistency((before, forged), (size, head), proof)
        if proof:
            with pytest.raises(ProofRefused):
                verify_consistency((before, root(hashes[:before])), (size, head), proof[:-1])


def test_an_index_or_size_outside_the_log_is_refused() -> None:
    with pytest.raises(ProofRefused):
        inclusion_proof(leaves(3), 3)
    with pytest.raises(ProofRefused):
        consistency_proof(leaves(3), 4)
    with pytest.raises(ProofRefused):
        consistency_proof(leaves(3), 0)


@pytest.mark.parametrize("size", SIZES)
def test_an_independent_library_verifies_our_roots_and_proofs(size: int) -> None:
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for n in range(size):
        tree.append_entry(b"entry %d" % n)
    hashes = leaves(size)
    assert tree.get_root() == root(hashes)
    for index, leaf in enumerate(hashes):
        # Its proof objects carry the order of hashing; the hashes in this one are ours alone.
        shape = tree.prove_inclusion(index + 1).serialize()
        ours = [digest.hex() for digest in (leaf, *inclusion_proof(hashes, index))]
        proof = pymerkle.MerkleProof.deserialize({**shape, "path": ours})
        pymerkle.verify_inclusion(leaf, root(hashes), proof)
    for before in range(1, size):
        theirs = tree.prove_consistency(before, size)
        pymerkle.verify_consistency(root(hashes[:before]), root(hashes), theirs)
