"""The outer message: SaleToPOIRequest or SaleToPOIResponse, in clear or hidden with a trailer."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from pos_adapter.errors import MalformedMessage, Unauthenticated
from pos_adapter.protocols.nexo import json_text
from pos_adapter.protocols.nexo.header import (
    Header,
    find_number,
    read_header,
    require_object,
    require_text,
)
from pos_adapter.protocols.nexo.json_text import Json
from pos_adapter.protocols.nexo.local_encryption import (
    VERSION,
    KeyName,
    KeyRing,
    Sealed,
    seal,
    unseal,
)

REQUEST, RESPONSE = "SaleToPOIRequest", "SaleToPOIResponse"


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its header, its body without it, and the key it comes or goes under (None: in clear)."""

    header: Header
    body: Mapping[str, Json]
    key: KeyName | None = None
    root: str = REQUEST


def decode(data: bytes, keys: KeyRing, *, root: str = REQUEST) -> Message:
    """Read a message, opening it when it is hidden.

    Raises:
        MalformedMessage: it is no message of this wire.
        Unauthenticated: it is hidden and cannot be opened, or its two headers differ; one text for all.
    """
    outer = require_object(json_text.decode(data), root)
    header = read_header(outer)
    if "NexoBlob" not in outer:
        return Message(header, _without_header(outer), root=root)
    sealed = _read_sealed(outer)
    text = unseal(sealed, keys.find(sealed.key))
    # From here on the sender knows the key, so what is wrong may be said.
    inner = require_object(json_text.decode(text), root)
    if read_header(inner) != header:
        raise Unauthenticated("the message could not be opened")
    return Message(header, _without_header(inner), sealed.key, root)


def encode(message: Message, keys: KeyRing) -> bytes:
    """The bytes of a message, hidden under `message.key` when it has one."""
    header: dict[str, Json] = message.header.encode()
    text = json_text.encode({message.root: {"MessageHeader": header, **message.body}})
    if message.key is None:
        return text
    sealed = seal(text, message.key, keys.find(message.key))
    trailer: dict[str, Json] = {
        "AdyenCryptoVersion": VERSION,
        "KeyIdentifier": sealed.key.identifier,
        "KeyVersion": sealed.key.version,
        "Nonce": base64.b64encode(sealed.nonce).decode("ascii"),
        "Hmac": base64.b64encode(sealed.hmac).decode("ascii"),
    }
    blob = base64.b64encode(sealed.blob).decode("ascii")
    outer: dict[str, Json] = {"MessageHeader": header, "NexoBlob": blob, "SecurityTrailer": trailer}
    return json_text.encode({message.root: outer})


def _read_sealed(outer: Mapping[str, Json]) -> Sealed:
    trailer = require_object(outer, "SecurityTrailer")
    version = find_number(trailer, "KeyVersion")
    if find_number(trailer, "AdyenCryptoVersion") != VERSION or version is None or version != int(version):
        raise MalformedMessage(f"SecurityTrailer is not of version {VERSION} or has no whole KeyVersion")
    return Sealed(
        blob=_base64(require_text(outer, "NexoBlob")),
        nonce=_base64(require_text(trailer, "Nonce")),
        hmac=_base64(require_text(trailer, "Hmac")),
        key=KeyName(require_text(trailer, "KeyIdentifier"), int(version)),
    )


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedMessage("a hidden message holds what is no base64") from error


def _without_header(members: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in members.items() if name != "MessageHeader"}
