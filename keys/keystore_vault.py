"""Wrapping keys in the transit engine of HashiCorp Vault or OpenBao: one transit key per key id.

The context is sent as `associated_data`, which the engine authenticates. A transit key is destroyed by
allowing its deletion and deleting it. The token is sent as a header over TLS; plain HTTP is refused
except to this machine.
"""

from __future__ import annotations

import json
import ssl
from base64 import b64decode, b64encode
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import quote, urlsplit

from keys.errors import FormatError, ProviderError, SealBroken, UnlockError
from keys.hygiene import wipe
from keys.types import KeyId

ANSWER_LIMIT = 64 * 1024
_LOCAL = frozenset({"127.0.0.1", "::1", "localhost"})


class VaultKeys:
    """Satisfies `RemoteKeys`. One connection a call, each within `timeout_s`."""

    def __init__(
        self,
        address: str,
        token: str,
        *,
        mount: str = "transit",
        prefix: str = "facepay",
        timeout_s: float = 5.0,
    ) -> None:
        try:
            parts = urlsplit(address)
            port = parts.port or 8200
        except ValueError as error:
            raise FormatError(f"a vault's address is https://host:port, not {address!r}: {error}") from None
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise FormatError(f"a vault's address is https://host:port, not {address!r}")
        if parts.scheme == "http" and parts.hostname not in _LOCAL:
            raise FormatError("a vault on another machine is reached by https only")
        self._tls = parts.scheme == "https"
        self._host, self._port = parts.hostname, port
        self._token, self._timeout_s = token, timeout_s
        self._mount, self._prefix = mount.strip("/"), prefix

    def __repr__(self) -> str:
        return f"VaultKeys({self._host!r}, <redacted>)"

    def create(self, key: KeyId) -> None:
        """Make an AES-256-GCM transit key that cannot be exported; no error when it is there."""
        body = {"type": "aes256-gcm96", "exportable": False, "allow_plaintext_backup": False}
        self._call("POST", f"keys/{self._name(key)}", body)

    def encrypt(self, key: KeyId, plain: bytearray, context: bytes) -> bytes:
        """The engine's own ciphertext, `vault:v1:...`."""
        body = {"plaintext": b64encode(plain).decode(), "associated_data": b64encode(context).decode()}
        ciphertext = self._call("POST", f"encrypt/{self._name(key)}", body).get("ciphertext")
        if not isinstance(ciphertext, str):
            raise ProviderError("the vault's answer has no ciphertext")
        return ciphertext.encode()

    def decrypt_into(self, key: KeyId, blob: bytes, context: bytes, out: bytearray) -> None:
        """Undo `encrypt`; raises SealBroken."""
        wipe(out)
        try:
            body = {"ciphertext": blob.decode("ascii"), "associated_data": b64encode(context).decode()}
            answer = self._call("POST", f"decrypt/{self._name(key)}", body)
            plain = b64decode(str(answer.get("plaintext")), validate=True)
        except ValueError:
            raise SealBroken from None
        if len(plain) != len(out):
            raise SealBroken
        out[:] = plain

    def destroy(self, key: KeyId) -> None:
        """Allow the deletion of the transit key, then delete it."""
        try:
            self._call("POST", f"keys/{self._name(key)}/config", {"deletion_allowed": True})
        except SealBroken:
            return
        self._call("DELETE", f"keys/{self._name(key)}", None)

    def close(self) -> None:
        """Forget the token."""
        self._token = ""

    def _name(self, key: KeyId) -> str:
        return quote(f"{self._prefix}-{key}", safe="")

    def _call(self, method: str, path: str, body: Mapping[str, object] | None) -> dict[str, object]:
        status, raw = self._exchange(method, f"/v1/{self._mount}/{path}", body)
        if status in {401, 403}:
            raise UnlockError("the vault refuses this token")
        if status in {400, 404}:
            # The engine answers 400 for a tag that does not hold and for an unknown key alike.
            raise SealBroken
        if status >= 300:
            raise ProviderError(f"the vault answered {status}", retryable=status in {429, 500, 502, 503})
        try:
            answer = json.loads(raw) if raw else {}
        except (ValueError, RecursionError):
            raise ProviderError("the vault's answer is not JSON") from None
        data = answer.get("data") if isinstance(answer, dict) else None
        return data if isinstance(data, dict) else {}

    def _exchange(self, method: str, path: str, body: Mapping[str, object] | None) -> tuple[int, bytes]:
        headers = {
            "X-Vault-Token": self._token,
            "X-Vault-Request": "true",
            "Content-Type": "application/json",
        }
        payload = None if body is None else json.dumps(body)
        connection = self._connection()
        try:
            connection.request(method, path, payload, headers)
            answer = connection.getresponse()
            raw = answer.read(ANSWER_LIMIT + 1)
        except (OSError, HTTPException) as error:
            raise ProviderError(f"the vault did not answer: {error}", retryable=True) from error
        finally:
            connection.close()
        if len(raw) > ANSWER_LIMIT:
            raise ProviderError("the vault's answer is too long")
        return answer.status, raw

    def _connection(self) -> HTTPConnection:
        if not self._tls:
            return HTTPConnection(self._host, self._port, timeout=self._timeout_s)
        context = ssl.create_default_context()
        return HTTPSConnection(self._host, self._port, timeout=self._timeout_s, context=context)
