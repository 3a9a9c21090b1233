"""The MessageHeader and the fields all messages share (nexo Sale to POI 3.0, chapter 4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from pos_adapter.errors import MalformedMessage
from pos_adapter.protocols.nexo.json_text import Json
from pos_adapter.types import ExchangeKey

WIRE = "nexo"
PROTOCOL_VERSION = "3.0"
_PRINTABLE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x21-\x7e])?")
LONGEST_SERVICE_ID = 10
# Every member of the header takes part in the comparison of the clear one with the hidden one.
_MEMBERS = (
    ("ProtocolVersion", "protocol_version"),
    ("MessageClass", "message_class"),
    ("MessageCategory", "category"),
    ("MessageType", "message_type"),
    ("ServiceID", "service_id"),
    ("DeviceID", "device_id"),
    ("SaleID", "sale_id"),
    ("POIID", "poi_id"),
)


@dataclass(frozen=True, slots=True)
class Header:
    """One MessageHeader; absent members are empty strings."""

    message_class: str
    category: str
    message_type: str
    sale_id: str
    poi_id: str
    service_id: str = ""
    device_id: str = ""
    protocol_version: str = ""

    @property
    def key(self) -> ExchangeKey:
        """What makes a repeated message the same exchange."""
        own = self.device_id if self.message_class == "Device" else self.service_id
        return ExchangeKey(WIRE, self.poi_id, self.sale_id, own or self.service_id or self.device_id)

    def answering(self) -> Header:
        """The header of this request's answer."""
        return replace(self, message_type="Response", protocol_version=PROTOCOL_VERSION)

    def encode(self) -> dict[str, Json]:
        """As JSON members; empty ones are left out."""
        return {name: value for name, attribute in _MEMBERS if (value := getattr(self, attribute))}


def read_header(body: Mapping[str, Json]) -> Header:
    """The header of a message body.

    Raises:
        MalformedMessage: it is missing, or a required member is missing or not plain printable text.
    """
    members = require_object(body, "MessageHeader")
    values = {attribute: find_text(members, name) or "" for name, attribute in _MEMBERS}
    for name, attribute in _MEMBERS:
        needed = attribute in ("message_class", "category", "message_type", "sale_id", "poi_id")
        if (needed or values[attribute]) and not _PRINTABLE.fullmatch(values[attribute]):
            raise MalformedMessage(f"MessageHeader.{name} is missing or not plain text of 1 to 64 characters")
    header = Header(**values)
    is_event = header.message_class == "Event"
    if not is_event and not 1 <= len(header.service_id or header.device_id) <= LONGEST_SERVICE_ID:
        raise MalformedMessage(f"ServiceID (or DeviceID) has 1 to {LONGEST_SERVICE_ID} characters")
    return header


def require_object(members: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    """A member that is an object; raises MalformedMessage."""
    value = members.get(name)
    if not isinstance(value, Mapping):
        raise MalformedMessage(f"{name} is missing or no object")
    return value


def find_object(members: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    """A member that is an object, empty when absent; raises MalformedMessage when it is something else."""
    return {} if members.get(name) is None else require_object(members, name)


def find_text(members: Mapping[str, Json], name: str) -> str | None:
    """A member that is text, None when absent; raises MalformedMessage when it is something else."""
    value = members.get(name)
    if value is None or isinstance(value, str):
        return value
    raise MalformedMessage(f"{name} is no text")


def require_text(members: Mapping[str, Json], name: str) -> str:
    """A member that is text and not empty; raises MalformedMessage."""
    value = find_text(members, name)
    if not value:
        raise MalformedMessage(f"{name} is missing")
    return value


def find_number(members: Mapping[str, Json], name: str) -> Decimal | None:
    """A member that is a number, None when absent; raises MalformedMessage when it is something else."""
    value = members.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise MalformedMessage(f"{name} is no number")
    return Decimal(value)


def find_flag(members: Mapping[str, Json], name: str) -> bool:
    """A member that is true or false, False when absent; raises MalformedMessage otherwise."""
    value = members.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise MalformedMessage(f"{name} is neither true nor false")


def find_texts(members: Mapping[str, Json], name: str) -> tuple[str, ...]:
    """A member that is a list of texts, empty when absent; a single text counts as one."""
    value = members.get(name)
    if value is None:
        return ()
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise MalformedMessage(f"{name} is no list of texts")
    return tuple(item for item in items if isinstance(item, str))


def time_text(at: datetime) -> str:
    """A time as nexo writes it: UTC, milliseconds, Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
