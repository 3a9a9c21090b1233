"""Wrapping keys in a PKCS#11 token: non-extractable, used with AES-GCM inside the token.

Mechanisms are probed when the token is opened. With CKM_AES_GCM the context is the associated data and the
96-bit nonce is random, so wraps are counted on the token, in blocks reserved ahead, and stop at 2**31.
A token without it but with CKM_AES_KEY_WRAP (RFC 3394) wraps the data key together with a digest of the
context. A token with neither is refused. Session objects are destroyed in the call that made them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hmac import compare_digest
from threading import RLock
from typing import Any

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11.exceptions import (
    DeviceRemoved,
    KeyHandleInvalid,
    NoSuchToken,
    ObjectHandleInvalid,
    PKCS11Error,
    SessionClosed,
    SessionHandleInvalid,
    TokenNotPresent,
)
from pkcs11.mechanisms import GCMParams

from keys.errors import KeyUnavailable, ProviderError, SealBroken
from keys.hygiene import wipe
from keys.pkcs11_counter import WrapCounter
from keys.pkcs11_session import label_of, open_session
from keys.types import KEY_BYTES, KeyId

NONCE = 12
TAG = 16
KEY_WRAPPED = 2 * KEY_BYTES + 8
"""Bytes of an RFC 3394 wrap of a data key and the digest of its context."""
_GONE = (
    TokenNotPresent,
    DeviceRemoved,
    SessionClosed,
    SessionHandleInvalid,
    NoSuchToken,
    KeyHandleInvalid,
    ObjectHandleInvalid,
)


# The library adds encrypt, decrypt and wrap to its key objects at run time, so their type is Any.


class Pkcs11Keys:
    """Satisfies `RemoteKeys` over one session of one token."""

    def __init__(
        self,
        module: str,
        token: str,
        pin: str,
        *,
        random: Callable[[int], bytes] = os.urandom,
        mechanisms: frozenset[Mechanism] | None = None,
    ) -> None:
        self._random = random
        self._lock = RLock()
        self._process = os.getpid()
        self._handles: dict[KeyId, Any] = {}
        self._session = open_session(module, token, pin)
        self._counter = WrapCounter(self._session)
        offered = self._session.token.slot.get_mechanisms() if mechanisms is None else mechanisms
        self._gcm, self._wraps = Mechanism.AES_GCM in offered, Mechanism.AES_KEY_WRAP in offered
        if not self._gcm and not self._wraps:
            self._session.close()
            raise ProviderError(
                f"token {token!r} offers neither AES-GCM nor AES key wrap (RFC 3394), one of which is "
                "needed: take a token or firmware that does, or another key store"
            )

    def __repr__(self) -> str:
        return "Pkcs11Keys(<redacted>)"

    def create(self, key: KeyId) -> None:
        """Make a sensitive, non-extractable AES-256 key as a token object."""
        with self._calling():
            if self._find(key) is not None:
                return
            self._session.generate_key(
                KeyType.AES,
                256,
                id=bytes.fromhex(key),
                label=label_of(key),
                store=True,
                capabilities=MechanismFlag.ENCRYPT
                | MechanismFlag.DECRYPT
                | MechanismFlag.WRAP
                | MechanismFlag.UNWRAP,
                template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
            )

    def encrypt(self, key: KeyId, plain: bytearray, context: bytes) -> bytes:
        """Nonce, ciphertext and tag; or an RFC 3394 wrap of the key and the context's digest."""
        with self._calling():
            handle = self._require(key)
            if not self._gcm:
                return self._key_wrap(handle, plain, context)
            self._counter.count(key)
            nonce = self._random(NONCE)
            gcm = {"mechanism": Mechanism.AES_GCM, "mechanism_param": GCMParams(nonce, context, 8 * TAG)}
            return nonce + bytes(handle.encrypt(bytes(plain), **gcm))

    def decrypt_into(self, key: KeyId, blob: bytes, context: bytes, out: bytearray) -> None:
        """Undo `encrypt`; raises SealBroken."""
        with self._calling():
            handle = self._require(key)
            # Tokens report a failed tag as a general error, so after the key was found every failure that
            # is not the token's absence means that the blob does not open.
            try:
                plain = self._decrypted(handle, blob, context)
            except _GONE:
                raise
            except (PKCS11Error, ValueError):
                raise SealBroken from None
            out[:] = plain

    def destroy(self, key: KeyId) -> None:
        """Destroy the key and its counter."""
        with self._calling():
            found = self._find(key)
            if found is not None:
                found.destroy()
            self._counter.destroy(key)
            self._handles.pop(key, None)

    def close(self) -> None:
        """Log out and close the session."""
        self._handles.clear()
        with suppress(PKCS11Error):
            self._session.close()

    @contextmanager
    def _calling(self) -> Iterator[None]:
        if os.getpid() != self._process:
            raise ProviderError("a PKCS#11 session does not survive a fork; open the key store again")
        with self._lock:
            try:
                yield
            except _GONE as error:
                # What was found on a token says nothing about the one that is put in next.
                self._handles.clear()
                raise ProviderError(
                    "the token was removed or its session is closed: put it back, and start again if that is "
                    "not enough",
                    retryable=True,
                ) from error
            except PKCS11Error as error:
                raise ProviderError(f"the token failed: {type(error).__name__}") from error

    def _find(self, key: KeyId) -> pkcs11.Object | None:
        query = {
            Attribute.CLASS: ObjectClass.SECRET_KEY,
            Attribute.ID: bytes.fromhex(key),
            Attribute.LABEL: label_of(key),
        }
        return next(iter(list(self._session.get_objects(query))), None)

    def _require(self, key: KeyId) -> Any:
        handle = self._handles.get(key)
        if handle is None:
            found = self._find(key)
            if not isinstance(found, pkcs11.SecretKey):
                raise KeyUnavailable(
                    f"the token has no key {key}: another token is in its place, or the key was removed there"
                )
            handle = self._handles[key] = found
        return handle

    def _decrypted(self, handle: Any, blob: bytes, context: bytes) -> bytes:
        # A token may gain or lose a mechanism with its firmware, so the blob says which one made it.
        if len(blob) == KEY_WRAPPED:
            self._require_mechanism(self._wraps, "AES key wrap")
            return self._key_unwrap(handle, blob, context)
        if len(blob) != NONCE + KEY_BYTES + TAG:
            raise SealBroken
        self._require_mechanism(self._gcm, "AES-GCM")
        gcm = {"mechanism": Mechanism.AES_GCM, "mechanism_param": GCMParams(blob[:NONCE], context, 8 * TAG)}
        return bytes(handle.decrypt(blob[NONCE:], **gcm))

    @staticmethod
    def _require_mechanism(offered: bool, name: str) -> None:
        if not offered:
            raise ProviderError(
                f"this key was wrapped by {name}, which the token no longer offers: put its firmware or its "
                "settings back"
            )

    def _key_wrap(self, handle: Any, plain: bytearray, context: bytes) -> bytes:
        bound = bytearray(plain) + hashlib.sha256(context).digest()
        template = {
            Attribute.CLASS: ObjectClass.SECRET_KEY,
            Attribute.KEY_TYPE: KeyType.GENERIC_SECRET,
            Attribute.VALUE: bytes(bound),
            Attribute.TOKEN: False,
            Attribute.EXTRACTABLE: True,
            Attribute.SENSITIVE: False,
        }
        wipe(bound)
        inner = self._session.create_object(template)
        try:
            return bytes(handle.wrap_key(inner, mechanism=Mechanism.AES_KEY_WRAP))
        finally:
            inner.destroy()

    def _key_unwrap(self, handle: Any, blob: bytes, context: bytes) -> bytes:
        inner = handle.unwrap_key(
            ObjectClass.SECRET_KEY,
            KeyType.GENERIC_SECRET,
            blob,
            mechanism=Mechanism.AES_KEY_WRAP,
            store=False,
            template={Attribute.EXTRACTABLE: True, Attribute.SENSITIVE: False},
        )
        try:
            value = bytes(inner[Attribute.VALUE])
        finally:
            inner.destroy()
        digest = hashlib.sha256(context).digest()
        if len(value) != 2 * KEY_BYTES or not compare_digest(value[KEY_BYTES:], digest):
            raise SealBroken
        return value[:KEY_BYTES]
