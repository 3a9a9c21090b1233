"""keys: sealed formats, key stores, signed statements and the audit log."""

from keys.base import KeyStore
from keys.envelope import seal, unseal
from keys.errors import KeysError
from keys.keystore_file import create_file_keystore
from keys.keystore_memory import MemoryKeyStore
from keys.opening import create_keystore, open_keystore
from keys.types import Context, KeyId, KeyState, KeyUse, Purpose

__all__ = [
    "Context",
    "KeyId",
    "KeyState",
    "KeyStore",
    "KeyUse",
    "KeysError",
    "MemoryKeyStore",
    "Purpose",
    "create_file_keystore",
    "create_keystore",
    "open_keystore",
    "seal",
    "unseal",
]
