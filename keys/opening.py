"""Key stores by URI, as the settings name them. A provider's library is imported only when it is named.

memory:                                      forgets everything; tests and demonstrations
file:/var/lib/facepay/keys.fpk               opened by passphrase
file:/var/lib/facepay/keys.fpk?slot=credential    opened by a systemd credential
file:/var/lib/facepay/keys.fpk?slot=tpm2          opened by this machine's TPM 2.0, no secret
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from keys.base import KeyStore
from keys.errors import FormatError
from keys.keystore_file import Secret, create_file_keystore, open_file_keystore, open_with_chip
from keys.keystore_memory import MemoryKeyStore
from keys.passphrase import Argon2Cost
from keys.remote import RemoteKeys, create_remote_keystore, open_remote_keystore
from keys.slots import SlotKind
from keys.tpm2_slot import Chip


def open_keystore(uri: str, secret: Secret) -> KeyStore:
    """Open the key store a URI names; `secret` is called once, if the store needs a secret.

    Raises FormatError for a URI of an unknown scheme or with unknown options, and what the store raises.
    """
    scheme = _split(uri).scheme
    opener = _OPENERS.get(scheme)
    if opener is None:
        raise FormatError(f"key store URI has scheme {scheme!r}; known are {', '.join(sorted(_OPENERS))}")
    return opener(uri, secret)


def uri_options(uri: str, known: frozenset[str]) -> dict[str, str]:
    """The query of a URI; FormatError names an unknown or repeated option."""
    options: dict[str, str] = {}
    for name, value in parse_qsl(_split(uri).query, keep_blank_values=True):
        if name not in known or name in options:
            raise FormatError(
                f"key store URI has option {name!r} twice or unknown; known are {sorted(known)}"
            )
        options[name] = value
    return options


def _split(uri: str) -> SplitResult:
    try:
        return urlsplit(uri)
    except ValueError as error:
        raise FormatError(f"this is no key store URI: {error}") from None


def _open_memory(uri: str, secret: Secret) -> KeyStore:
    uri_options(uri, frozenset())
    return MemoryKeyStore()


def create_keystore(uri: str, secret: Secret, *, cost: Argon2Cost | None = None) -> KeyStore:
    """Make the key store a URI names, with one active key of each use; never overwrites one.

    `cost` is that of the passphrase of a file, see `keys.stretching`.
    """
    scheme = _split(uri).scheme
    if scheme == "file":
        return create_file_keystore(_file_path(uri), secret(), cost=cost)
    if scheme in _REMOTES:
        remote, ring = _REMOTES[scheme](uri, secret)
        return create_remote_keystore(remote, ring)
    return open_keystore(uri, secret)


def _open_file(uri: str, secret: Secret) -> KeyStore:
    options = uri_options(uri, frozenset({"slot", "tcti"}))
    name = options.get("slot", "passphrase")
    kinds = {kind.name.lower(): kind for kind in SlotKind}
    if name not in kinds:
        raise FormatError(f"key store slot {name!r} is unknown; known are {', '.join(sorted(kinds))}")
    if kinds[name] is SlotKind.TPM2:
        return open_with_chip(_file_path(uri), open_chip(options.get("tcti", "")))
    return open_file_keystore(_file_path(uri), secret, kinds=frozenset({kinds[name]}))


def open_chip(tcti: str = "") -> Chip:
    """This machine's TPM 2.0; `tcti` says how it is reached, empty for the kernel's resource manager."""
    try:
        from keys.tpm2 import DEFAULT_TCTI, Tpm2Chip
    except ImportError as error:
        raise _missing("tpm2", "tpm2-pytss") from error
    return Tpm2Chip(tcti or DEFAULT_TCTI)


def _file_path(uri: str) -> Path:
    return _absolute(unquote(urlsplit(uri).path), "a file key store")


def _absolute(text: str, what: str) -> Path:
    if not text.startswith("/"):
        raise FormatError(f"{what} is named by an absolute path, not {text!r}")
    return Path(text)


def _required(options: dict[str, str], name: str, scheme: str) -> str:
    if not options.get(name):
        raise FormatError(f"a key store URI of scheme {scheme} needs the option {name}")
    return options[name]


def _text(secret: Secret) -> str:
    given = secret()
    return given if isinstance(given, str) else bytes(given).decode()


def _pkcs11(uri: str, secret: Secret) -> tuple[RemoteKeys, Path]:
    try:
        from keys.keystore_pkcs11 import Pkcs11Keys
    except ImportError as error:
        raise _missing("pkcs11", "python-pkcs11") from error
    options = uri_options(uri, frozenset({"module-path", "x-ring"}))
    attributes = dict(part.partition("=")[::2] for part in urlsplit(uri).path.split(";") if part)
    if set(attributes) != {"token"}:
        raise FormatError("a PKCS#11 URI names a token and nothing else: pkcs11:token=NAME?...")
    ring = _absolute(_required(options, "x-ring", "pkcs11"), "the ring")
    module = _required(options, "module-path", "pkcs11")
    return Pkcs11Keys(module, unquote(attributes["token"]), _text(secret)), ring


def _aws_kms(uri: str, secret: Secret) -> tuple[RemoteKeys, Path]:
    try:
        from keys.keystore_kms import AwsKmsKeys
    except ImportError as error:
        raise _missing("aws-kms", "boto3") from error
    options = uri_options(uri, frozenset({"region", "ring", "endpoint"}))
    prefix = unquote(urlsplit(uri).path) or "facepay"
    ring = _absolute(_required(options, "ring", "aws-kms"), "the ring")
    region = _required(options, "region", "aws-kms")
    return AwsKmsKeys(prefix, region=region, endpoint=options.get("endpoint")), ring


def _vault(uri: str, secret: Secret) -> tuple[RemoteKeys, Path]:
    from keys.keystore_vault import VaultKeys

    options = uri_options(uri, frozenset({"mount", "prefix", "ring"}))
    ring = _absolute(_required(options, "ring", "vault"), "the ring")
    address = uri.removeprefix("vault:").partition("?")[0]
    mount, prefix = options.get("mount", "transit"), options.get("prefix", "facepay")
    return VaultKeys(address, _text(secret), mount=mount, prefix=prefix), ring


def _missing(extra: str, library: str) -> FormatError:
    return FormatError(f"this key store needs {library}; install it with: pip install 'facepay[{extra}]'")


def _open_remote(uri: str, secret: Secret) -> KeyStore:
    remote, ring = _REMOTES[urlsplit(uri).scheme](uri, secret)
    return open_remote_keystore(remote, ring)


_REMOTES: dict[str, Callable[[str, Secret], tuple[RemoteKeys, Path]]] = {
    "pkcs11": _pkcs11,
    "aws-kms": _aws_kms,
    "vault": _vault,
}
_OPENERS: dict[str, Callable[[str, Secret], KeyStore]] = {
    "memory": _open_memory,
    "file": _open_file,
    **dict.fromkeys(_REMOTES, _open_remote),
}
