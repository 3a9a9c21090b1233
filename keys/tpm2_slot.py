"""The slot of a key store file that a TPM 2.0 chip opens by itself, as long as the machine started as it did.

    payload: PCR mask, 3 bytes | length 2 | public part | length 2 | private part | root key, wrapped

The chip keeps a random key, which wraps the root key as in every other slot; so store, slot number and
what the chip gave are bound. `Chip` is what a driver implements (`keys.tpm2`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from keys.errors import FormatError, SealBroken
from keys.hygiene import fill_random, wiping
from keys.slots import Slot, SlotKind, SlotPlace, slot_context
from keys.types import KEY_BYTES
from keys.xaes import NONCE, TAG, Xaes256Gcm, unwrap_key_into, wrap_key

PCRS = 24
DEFAULT_PCRS = frozenset({7})
"""PCR 7 measures Secure Boot's state and keys: it changes with those, and not with every kernel."""
_MASK = 3
_WRAPPED = NONCE + KEY_BYTES + TAG


class ChipBlob(NamedTuple):
    """What a chip gives out for a secret it keeps; only this chip opens it."""

    public: bytes
    private: bytes


class Chip(Protocol):
    """A TPM 2.0. Its failures are ProviderError; a refusal to open is UnlockError."""

    def seal(self, secret: bytearray, pcrs: frozenset[int]) -> ChipBlob:
        """Keep a secret of 32 bytes for as long as the registers have their present values."""
        ...

    def unseal_into(self, blob: ChipBlob, pcrs: frozenset[int], out: bytearray) -> None:
        """Fill `out` with the secret."""
        ...


def lock_with_chip(
    root: bytearray, chip: Chip, place: SlotPlace, pcrs: frozenset[int], *, random: Callable[[int], bytes]
) -> Slot:
    """A slot that this chip opens."""
    if not pcrs or not all(0 <= pcr < PCRS for pcr in pcrs):
        raise FormatError(f"a TPM2 slot names registers 0 to {PCRS - 1}, at least one")
    with wiping(KEY_BYTES) as key:
        fill_random(key)
        parameters = _encode(pcrs, chip.seal(key, pcrs))
        associated = slot_context(SlotKind.TPM2, place, parameters)
        return Slot(
            SlotKind.TPM2, place.number, parameters + wrap_key(Xaes256Gcm(key), root, associated, random)
        )


def unlock_with_chip_into(slot: Slot, chip: Chip, store_id: bytes, out: bytearray) -> None:
    """The root key of a TPM2 slot.

    Raises:
        FormatError: the payload is malformed.
        UnlockError: another chip, or the machine did not start as it did.
        SealBroken: the chip opened and the slot is not the one it was made for.
    """
    parameters, blob = slot.payload[:-_WRAPPED], slot.payload[-_WRAPPED:]
    pcrs, kept = _decode(parameters)
    with wiping(KEY_BYTES) as key:
        chip.unseal_into(kept, pcrs, key)
        if not any(key):
            raise SealBroken
        associated = slot_context(SlotKind.TPM2, SlotPlace(store_id, slot.number), parameters)
        unwrap_key_into(Xaes256Gcm(key), blob, associated, out)


def _encode(pcrs: frozenset[int], blob: ChipBlob) -> bytes:
    mask = sum(1 << pcr for pcr in pcrs).to_bytes(_MASK, "big")
    return mask + b"".join(len(part).to_bytes(2, "big") + part for part in blob)


def _decode(parameters: bytes) -> tuple[frozenset[int], ChipBlob]:
    mask, at, parts = int.from_bytes(parameters[:_MASK], "big"), _MASK, list[bytes]()
    for _ in ChipBlob._fields:
        size = int.from_bytes(parameters[at : at + 2], "big")
        parts.append(parameters[at + 2 : at + 2 + size])
        at += 2 + size
    if at != len(parameters) or not mask or not all(parts):
        raise FormatError("a TPM2 slot of the key store is malformed")
    return frozenset(pcr for pcr in range(PCRS) if mask >> pcr & 1), ChipBlob(*parts)
