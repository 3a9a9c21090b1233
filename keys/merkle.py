"""Merkle trees as RFC 6962 section 2 defines them: roots, inclusion proofs, consistency proofs.

Leaves are hashed with a prefix 0x00 and nodes with 0x01, so no leaf can pass for a node. The functions
that make proofs take every leaf hash; those that verify take only the proof (RFC 9162, 2.1.3.2 and 2.1.4.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from hmac import compare_digest

from keys.errors import ProofRefused

HASH = 32
PROOF_LIMIT = 64
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """Hash of one entry."""
    return sha256(b"\0" + leaf).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Root over leaf hashes, in one pass."""
    stack: list[tuple[int, bytes]] = []
    for value in leaves:
        size, node = 1, value
        while stack and stack[-1][0] == size:
            node, size = _node(stack.pop()[1], node), 2 * size
        stack.append((size, node))
    if not stack:
        return EMPTY_ROOT
    node = stack.pop()[1]
    while stack:
        node = _node(stack.pop()[1], node)
    return node


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Audit path of the entry at `index`, from leaf to root."""
    if not 0 <= index < len(leaves):
        raise ProofRefused(f"the log has {len(leaves)} entries and none at {index}")
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_proof(leaves[:split], index), root(leaves[split:])]
    return [*inclusion_proof(leaves[split:], index - split), root(leaves[:split])]


def consistency_proof(leaves: Sequence[bytes], before: int) -> list[bytes]:
    """Proof that the tree over all leaves extends the tree over the first `before`."""
    if not 0 < before <= len(leaves):
        raise ProofRefused(f"the log has {len(leaves)} entries; no tree of {before} comes before it")
    return _subproof(leaves, before, whole=True)


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> None:
    """Raise ProofRefused unless a leaf hash stands at `index` in the tree of `size` with that root."""
    if not 0 <= index < size or len(proof) > PROOF_LIMIT:
        raise ProofRefused("the inclusion proof does not fit the tree")
    position, last, node = index, size - 1, leaf
    for sibling in proof:
        if not last:
            raise ProofRefused("the inclusion proof is too long")
        if position & 1 or position == last:
            node = _node(sibling, node)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            node = _node(node, sibling)
        position, last = position >> 1, last >> 1
    if last or not compare_digest(node, expected):
        raise ProofRefused("the inclusion proof does not lead to the signed root")


def verify_consistency(before: tuple[int, bytes], after: tuple[int, bytes], proof: Sequence[bytes]) -> None:
    """Raise ProofRefused unless the second tree (size, root) extends the first."""
    (first, first_root), (second, second_root) = before, after
    if not 0 < first <= second or len(proof) > PROOF_LIMIT:
        raise ProofRefused("the consistency proof does not fit the trees")
    if first == second:
        if proof or not compare_digest(first_root, second_root):
            raise ProofRefused("two trees of one size differ")
        return
    path = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    if not path:
        raise ProofRefused("the consistency proof is empty")
    position, last = first - 1, second - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if not last:
            raise ProofRefused("the consistency proof is too long")
        if position & 1 or position == last:
            old, new = _node(sibling, old), _node(sibling, new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new = _node(new, sibling)
        position, last = position >> 1, last >> 1
    if last or not compare_digest(old, first_root) or not compare_digest(new, second_root):
        raise ProofRefused("the later tree does not extend the earlier one")


def _subproof(leaves: Sequence[bytes], before: int, *, whole: bool) -> list[bytes]:
    if before == len(leaves):
        return [] if whole else [root(leaves)]
    split = _split(len(leaves))
    if before <= split:
        return [*_subproof(leaves[:split], before, whole=whole), root(leaves[split:])]
    return [*_subproof(leaves[split:], before - split, whole=False), root(leaves[:split])]


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()
