"""What each fuzzing target does with bytes; imported by the targets and by the test of the corpora."""

from __future__ import annotations

from contextlib import suppress

from pos_adapter.errors import PosError
from pos_adapter.protocols.caisse_ap.frames import CaisseCodec, Tag
from pos_adapter.protocols.caisse_ap.messages import request_of
from pos_adapter.protocols.concert.frames import ConcertCodec, Frame
from pos_adapter.protocols.concert.messages import decode_answer, decode_request, encode_request
from pos_adapter.protocols.hw_proxy.messages import call_of, payment_info_of
from pos_adapter.protocols.nexo import envelope, requests
from pos_adapter.protocols.nexo.json_text import JsonReader
from pos_adapter.protocols.nexo.local_encryption import KeyMaterial, KeyName, KeyRing, Sealed, unseal
from pos_adapter.protocols.rest.documents import load_object, payment_request_of
from pos_adapter.protocols.zvt import answers, apdu, commands
from pos_adapter.protocols.zvt.apdu import Apdu, ApduCodec
from pos_adapter.protocols.zvt.serial_frame import Block, BlockReader, encode
from pos_adapter.types import ExchangeKey

KEYS = KeyRing({KeyName("k", 1): "passphrase"})


def zvt_apdu(data: bytes) -> None:
    """Bytes of a till on TCP: cut, read, and written back the same."""
    codec = ApduCodec()
    for event in (*codec.feed(data), *codec.finish()):
        if isinstance(event, Apdu):
            assert apdu.decode(apdu.encode(event)) == event
            for read in (commands.decode, answers.read_status_information):
                with suppress(PosError):
                    read(event)


def zvt_serial(data: bytes) -> None:
    """Bytes of a serial line: whatever block comes out is written and read the same."""
    for event in BlockReader().feed(data):
        if isinstance(event, Block):
            assert BlockReader().feed(encode(event.apdu)) == (event,)
            with suppress(PosError):
                apdu.decode(event.apdu)


def nexo_message(data: bytes) -> None:
    """A body of a till: cut, read, and its requests understood or refused."""
    reader = JsonReader()
    reader.feed(data)
    reader.finish()
    with suppress(PosError):
        message = envelope.decode(data, KEYS)
        assert envelope.decode(envelope.encode(message, KEYS), KEYS) == message
        for read in (requests.read_payment, requests.read_reversal):
            with suppress(PosError):
                read(message.body)


def nexo_sealed(data: bytes) -> None:
    """A hidden message made of any bytes is opened or refused."""
    keys = KeyMaterial(b"h" * 32, b"c" * 32, b"v" * 16)
    sealed = Sealed(data[48:], data[:16], data[16:48], KeyName("k", 1))
    with suppress(PosError):
        unseal(sealed, keys)


def concert(data: bytes) -> None:
    """Bytes of a Concert line: frames are written back the same, requests understood or refused."""
    codec = ConcertCodec()
    for event in (*codec.feed(data), *codec.finish()):
        if isinstance(event, Frame):
            for read in (decode_request, decode_answer):
                with suppress(PosError):
                    read(event.payload)
            with suppress(PosError):
                assert encode_request(decode_request(event.payload)) == event.payload


def caisse_ap(data: bytes) -> None:
    """Bytes of a Caisse-AP connection: tags are written back the same, requests understood or refused."""
    codec = CaisseCodec()
    events = (*codec.feed(data), *codec.finish())
    tags = [event for event in events if isinstance(event, Tag)]
    assert data.startswith(codec.encode(tags))
    with suppress(PosError):
        request_of({tag.name: tag.value for tag in tags})


def rest(data: bytes) -> None:
    """A body of a REST till is understood or refused."""
    with suppress(PosError):
        members = load_object(data, {"amount", "reference", "operator", "partial_from", "timeout_s"})
        payment_request_of(members, ExchangeKey("rest", "terminal", "till", "1"))


def hw_proxy(data: bytes) -> None:
    """A body of a browser is understood or refused."""
    with suppress(PosError):
        payment_info_of(call_of(data).params)


TARGETS = {
    target.__name__: target
    for target in (zvt_apdu, zvt_serial, nexo_message, nexo_sealed, concert, caisse_ap, rest, hw_proxy)
}
