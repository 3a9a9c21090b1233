"""Makes and opens key store files (`keys.file_store`) by passphrase, credential or chip."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from keys.errors import FormatError, SealBroken, UnlockError
from keys.file_store import FileKeyStore, Random, Secret, read_store
from keys.hygiene import fill_random, wipe
from keys.keyring import Keyring
from keys.passphrase import Argon2Cost, passphrase_bytes, require_strength
from keys.slots import (
    STORE_ID,
    Header,
    SlotKind,
    SlotPlace,
    decode_header,
    lock_with_passphrase,
    unlock_into,
)
from keys.tpm2_slot import Chip, unlock_with_chip_into
from keys.types import KEY_BYTES, KeyState, KeyUse

__all__ = [
    "FileKeyStore",
    "Random",
    "Secret",
    "create_file_keystore",
    "load_file_keystore",
    "open_file_keystore",
    "open_with_chip",
    "read_store",
    "start_file_keystore",
]


def create_file_keystore(
    path: Path,
    secret: str | bytes | bytearray,
    *,
    cost: Argon2Cost | None = None,
    random: Random = os.urandom,
    now_s: Callable[[], float] = time.time,
) -> FileKeyStore:
    """Make a key store with one passphrase slot and one active key of each use.

    Raises UnlockError for a weak passphrase, FormatError when the file is already there.
    """
    require_strength(secret)
    if path.exists():
        raise FormatError(f"{path} is already there; a key store is never overwritten")
    raw, root = passphrase_bytes(secret), bytearray(KEY_BYTES)
    fill_random(root)
    store_id = random(STORE_ID)
    try:
        slot = lock_with_passphrase(
            root, raw, SlotPlace(store_id, 0), cost=cost or Argon2Cost(), random=random
        )
    finally:
        wipe(raw)
    store = start_file_keystore(path, root, Header(store_id, (slot,)), random=random, now_s=now_s)
    for use in KeyUse:
        store.advance(store.generate(use), KeyState.ACTIVE)
    return store


def start_file_keystore(
    path: Path, root: bytearray, header: Header, *, random: Random, now_s: Callable[[], float]
) -> FileKeyStore:
    """Write the first, empty version of a store around a root key, which the store takes over."""
    if path.exists():
        raise FormatError(f"{path} is already there; a key store is never overwritten")
    store = FileKeyStore(path, root, random=random, now_s=now_s)
    store.save(header, Keyring())
    return store


def open_file_keystore(
    path: Path,
    secret: Secret,
    *,
    kinds: frozenset[SlotKind] = frozenset({SlotKind.PASSPHRASE}),
    random: Random = os.urandom,
    now_s: Callable[[], float] = time.time,
) -> FileKeyStore:
    """Open a store by the first slot of the given kinds that the secret fits.

    Raises:
        UnlockError: no slot of these kinds, or none that the secret opens.
        FormatError: not a key store, truncated, altered, of a newer version, or readable by others.
    """
    header, _ = decode_header(read_store(path))
    raw, root = passphrase_bytes(secret()), bytearray(KEY_BYTES)
    try:
        _unlock_any(path, header, raw, kinds, root)
    finally:
        wipe(raw)
    try:
        return load_file_keystore(path, root, random=random, now_s=now_s)
    except SealBroken:
        # Whoever has the secret is the operator, and may know which half it was.
        raise FormatError(
            f"the secret is right, but {path} is truncated or altered behind its slots: restore its backup"
        ) from None


def open_with_chip(
    path: Path,
    chip: Chip,
    *,
    random: Random = os.urandom,
    now_s: Callable[[], float] = time.time,
) -> FileKeyStore:
    """Open a store by its TPM2 slot.

    Raises:
        UnlockError: no such slot, another chip, or the machine did not start as it did.
        ProviderError: the chip cannot be used.
        FormatError, SealBroken: as `open_file_keystore`.
    """
    header, _ = decode_header(read_store(path))
    usable = [slot for slot in header.slots if slot.kind is SlotKind.TPM2]
    if not usable:
        raise UnlockError(f"{path} has no slot of kind tpm2; add one with: facepay keys slot add tpm2")
    for slot in usable:
        root = bytearray(KEY_BYTES)
        try:
            unlock_with_chip_into(slot, chip, header.store_id, root)
        except (UnlockError, SealBroken):
            wipe(root)
            if slot is usable[-1]:
                raise
            continue
        return load_file_keystore(path, root, random=random, now_s=now_s)
    raise UnlockError(f"no TPM2 slot of {path} opens")


def load_file_keystore(
    path: Path, root: bytearray, *, random: Random = os.urandom, now_s: Callable[[], float] = time.time
) -> FileKeyStore:
    """Open a store with its root key, which the store takes over and wipes, also when this raises."""
    store = FileKeyStore(path, root, random=random, now_s=now_s)
    try:
        store.reload()
    except BaseException:
        store.close()
        raise
    return store


def _unlock_any(
    path: Path, header: Header, secret: bytearray, kinds: frozenset[SlotKind], root: bytearray
) -> None:
    usable = [slot for slot in header.slots if slot.kind in kinds]
    if not usable:
        names = ", ".join(sorted(kind.name.lower() for kind in kinds))
        present = ", ".join(sorted({slot.kind.name.lower() for slot in header.slots}))
        raise UnlockError(
            f"{path} has no slot of kind {names}, only {present}: open it by one of those and type "
            f"`facepay keys slot add {names}`, or name that slot in keys.uri"
        )
    for slot in usable:
        try:
            return unlock_into(slot, secret, header.store_id, root)
        except SealBroken:
            continue
    raise UnlockError(
        f"the secret opens none of the {len(usable)} slots of {path}: give the right one in keys.secret; "
        "if it is lost, two shares give the store a new one (facepay keys restore)"
    )
