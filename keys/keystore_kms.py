"""Wrapping keys in AWS KMS: one symmetric KMS key per key id, found by its alias.

The context travels as a digest in the encryption context, which KMS authenticates and writes to its own
log; a digest says nothing about the shopper. Keys are destroyed after KMS's shortest waiting time, seven
days, during which AWS can still cancel: a deletion receipt says so.
"""

from __future__ import annotations

import hashlib
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from keys.errors import ProviderError, SealBroken, UnlockError
from keys.hygiene import wipe
from keys.types import KeyId

WAITING_DAYS = 7
_MISSING = frozenset({"NotFoundException"})
_BROKEN = frozenset({"InvalidCiphertextException", "IncorrectKeyException", "ValidationException"})
_DENIED = frozenset({"AccessDeniedException", "UnrecognizedClientException", "InvalidClientTokenId"})
_BUSY = frozenset({"ThrottlingException", "KMSInternalException", "DependencyTimeoutException"})


class AwsKmsKeys:
    """Satisfies `RemoteKeys`. Credentials come from where boto3 finds them; none are in the settings."""

    def __init__(
        self, prefix: str, *, region: str, endpoint: str | None = None, timeout_s: float = 5.0
    ) -> None:
        self._prefix = prefix
        config = Config(connect_timeout=timeout_s, read_timeout=timeout_s, retries={"max_attempts": 2})
        try:
            # boto3 builds its clients at run time, so this one has no type.
            self._client: Any = boto3.client("kms", region_name=region, endpoint_url=endpoint, config=config)
        except BotoCoreError as error:
            raise ProviderError(f"cannot reach AWS KMS: {error}") from error

    def __repr__(self) -> str:
        return f"AwsKmsKeys({self._prefix!r})"

    def create(self, key: KeyId) -> None:
        """Make a symmetric KMS key with our alias."""
        if self._find(key) is not None:
            return
        made = self._call("create_key", Description=f"facepay wrapping key {key}", KeyUsage="ENCRYPT_DECRYPT")
        self._call("create_alias", AliasName=self._alias(key), TargetKeyId=made["KeyMetadata"]["KeyId"])

    def encrypt(self, key: KeyId, plain: bytearray, context: bytes) -> bytes:
        """KMS's own ciphertext."""
        answer = self._call(
            "encrypt", KeyId=self._alias(key), Plaintext=bytes(plain), EncryptionContext=_bound(context)
        )
        return bytes(answer["CiphertextBlob"])

    def decrypt_into(self, key: KeyId, blob: bytes, context: bytes, out: bytearray) -> None:
        """Undo `encrypt`; raises SealBroken."""
        wipe(out)
        if not blob:
            raise SealBroken
        answer = self._call(
            "decrypt", KeyId=self._alias(key), CiphertextBlob=blob, EncryptionContext=_bound(context)
        )
        plain = answer["Plaintext"]
        if len(plain) != len(out):
            raise SealBroken
        out[:] = plain

    def destroy(self, key: KeyId) -> None:
        """Disable the key at once and schedule its deletion."""
        found = self._find(key)
        if found is None:
            return
        if found["KeyState"] != "PendingDeletion":
            self._call("disable_key", KeyId=found["KeyId"])
            self._call("schedule_key_deletion", KeyId=found["KeyId"], PendingWindowInDays=WAITING_DAYS)

    def close(self) -> None:
        """Close the connection pool."""
        self._client.close()

    def _alias(self, key: KeyId) -> str:
        return f"alias/{self._prefix}-{key}"

    def _find(self, key: KeyId) -> dict[str, Any] | None:
        try:
            return dict(self._client.describe_key(KeyId=self._alias(key))["KeyMetadata"])
        except ClientError as error:
            if _code(error) in _MISSING:
                return None
            raise _translated(error) from error
        except BotoCoreError as error:
            raise ProviderError(f"AWS KMS did not answer: {error}", retryable=True) from error

    def _call(self, name: str, **arguments: object) -> dict[str, Any]:
        try:
            return dict(getattr(self._client, name)(**arguments))
        except ClientError as error:
            raise _translated(error) from error
        except BotoCoreError as error:
            raise ProviderError(f"AWS KMS did not answer: {error}", retryable=True) from error


def _bound(context: bytes) -> dict[str, str]:
    return {"facepay": hashlib.sha256(context).hexdigest()}


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _translated(error: ClientError) -> SealBroken | ProviderError | UnlockError:
    code = _code(error)
    if code in _BROKEN | _MISSING:
        return SealBroken()
    if code in _DENIED:
        return UnlockError(f"AWS KMS refuses these credentials: {code}")
    return ProviderError(f"AWS KMS answered {code}", retryable=code in _BUSY)
