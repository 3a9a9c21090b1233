"""nexo's local encryption and a request, as the library of the dialect's owner makes them."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from pathlib import Path

from pos_adapter.protocols.nexo import envelope, local_encryption, requests
from pos_adapter.protocols.nexo.local_encryption import KeyName, KeyRing, Sealed
from pos_adapter.types import Money

FOLDER = Path(__file__).parent / "nexo"


def test_the_known_answer_of_the_local_encryption() -> None:
    row = json.loads((FOLDER / "local_encryption.json").read_text("utf-8"))
    keys = local_encryption.derive(row["passphrase"])
    derived = (keys.hmac_key.hex(), keys.cipher_key.hex(), keys.vector.hex())
    assert derived == (row["hmac_key"], row["cipher_key"], row["vector"])
    text, nonce = row["text"].encode(), bytes.fromhex(row["nonce"])
    sealed = local_encryption.seal(text, KeyName("k", 1), keys, random_bytes=lambda size: nonce[:size])
    assert base64.b64encode(sealed.blob).decode() == row["blob"]
    assert base64.b64encode(sealed.hmac).decode() == row["hmac"]
    theirs = Sealed(base64.b64decode(row["blob"]), nonce, base64.b64decode(row["hmac"]), KeyName("k", 1))
    assert local_encryption.unseal(theirs, keys) == text


def test_a_request_of_the_node_library_is_read() -> None:
    row = json.loads((FOLDER / "payment_request.json").read_text("utf-8"), parse_float=Decimal)
    data = json.dumps(row["message"], default=float).encode()
    message = envelope.decode(data, KeyRing())
    order = requests.read_payment(message.body)
    assert message.header.key.text == "nexo/FACE01-000000001/POS-01/S303199938"
    assert (order.amount, order.reference, order.token_wanted) == (Money(1099, "EUR"), "T1", True)
