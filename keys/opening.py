"""Key stores by URI, as the settings name them. A provider's library is imported only when it is named.

memory:                                      forgets everything; tests and demonstrations
file:/var/lib/facepay/keys.fpk               opened by passphrase
file:/var/lib/facepay/keys.fpk?slot=credential    opened by a systemd credential
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from keys.base import KeyStore
from keys.errors import FormatError
from keys.keystore_file import Secret, open_file_keystore
from keys.keystore_memory import MemoryKeyStore
from keys.slots import SlotKind


def open_keystore(uri: str, secret: Secret) -> KeyStore:
    """Open the key store a URI names; `secret` is called once, if the store needs a secret.

    Raises FormatError for a URI of an unknown scheme or with unknown options, and what the store raises.
    """
    scheme = urlsplit(uri).scheme
    opener = _OPENERS.get(scheme)
    if opener is None:
        raise FormatError(f"key store URI has scheme {scheme!r}; known are {', '.join(sorted(_OPENERS))}")
    return opener(uri, secret)


def uri_options(uri: str, known: frozenset[str]) -> dict[str, str]:
    """The query of a URI; FormatError names an unknown or repeated option."""
    options: dict[str, str] = {}
    for name, value in parse_qsl(urlsplit(uri).query, keep_blank_values=True):
        if name not in known or name in options:
            raise FormatError(
                f"key store URI has option {name!r} twice or unknown; known are {sorted(known)}"
            )
        options[name] = value
    return options


def _open_memory(uri: str, secret: Secret) -> KeyStore:
    uri_options(uri, frozenset())
    return MemoryKeyStore()


def _open_file(uri: str, secret: Secret) -> KeyStore:
    name = uri_options(uri, frozenset({"slot"})).get("slot", "passphrase")
    kinds = {kind.name.lower(): kind for kind in SlotKind}
    if name not in kinds:
        raise FormatError(f"key store slot {name!r} is unknown; known are {', '.join(sorted(kinds))}")
    path = unquote(urlsplit(uri).path)
    if not path.startswith("/"):
        raise FormatError("a file key store is named by an absolute path: file:/folder/name.fpk")
    return open_file_keystore(Path(path), secret, kinds=frozenset({kinds[name]}))


_OPENERS: dict[str, Callable[[str, Secret], KeyStore]] = {"memory": _open_memory, "file": _open_file}
