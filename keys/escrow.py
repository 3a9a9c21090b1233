"""Escrow of a key store's root key: three shares of which any two restore it (SLIP-39, Shamir).

A share is 33 words that a person can write down. One share alone says nothing about the key. The shares
open a key store file; they do not replace it, so the file is backed up as well. The library works with
immutable integers and strings, so this is done on an offline machine when it can be.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from keys.errors import FormatError, SealBroken, UnlockError
from keys.hygiene import wipe
from keys.keystore_file import FileKeyStore, load_file_keystore
from keys.passphrase import Argon2Cost, require_strength
from keys.types import KEY_BYTES

SHARES = 3
NEEDED = 2
_LIBRARY = "escrow needs shamir-mnemonic; install it with: pip install 'facepay[escrow]'"


def split_root(root: bytearray) -> list[str]:
    """Three word lists of which any two give the 32-byte root key back."""
    try:
        from shamir_mnemonic import generate_mnemonics
    except ImportError as error:
        raise FormatError(_LIBRARY) from error
    groups = generate_mnemonics(1, [(NEEDED, SHARES)], bytes(root), iteration_exponent=0)
    return [str(words) for words in groups[0]]


def join_root(shares: Sequence[str]) -> bytearray:
    """The root key of two shares; the caller wipes it.

    Raises UnlockError when the shares are mistyped, too few or not of one set.
    """
    try:
        from shamir_mnemonic import MnemonicError, combine_mnemonics
    except ImportError as error:
        raise FormatError(_LIBRARY) from error
    try:
        root = bytearray(combine_mnemonics([" ".join(share.split()).lower() for share in shares]))
    except (MnemonicError, ValueError) as error:
        raise UnlockError(f"these shares do not restore a key: {error}") from None
    if len(root) != KEY_BYTES:
        wipe(root)
        raise UnlockError("these shares are not of a facepay key store")
    return root


def restore_keystore(
    path: Path, shares: Sequence[str], passphrase: str, *, cost: Argon2Cost | None = None
) -> FileKeyStore:
    """Open a key store file with two shares and give it a new passphrase.

    Raises UnlockError when the shares belong to another key store.
    """
    require_strength(passphrase)
    try:
        store = load_file_keystore(path, join_root(shares))
    except SealBroken:
        raise UnlockError(f"these shares are not of {path}") from None
    try:
        store.add_passphrase(passphrase, cost)
    except BaseException:
        store.close()
        raise
    return store
