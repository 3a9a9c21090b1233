"""Secrets are compared in constant time and refusals look alike: by reading the code, not a clock."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import keys
from keys import Context, MemoryKeyStore, Purpose, seal, unseal
from keys.cobblestone import seal_message, unseal_message
from keys.errors import SealBroken
from keys.keyed import Bearer, seal_keyed, unseal_keyed
from keys.passphrase import FLOOR

FOLDER = Path(keys.__file__).parent
SECRET_WORDS = (
    "digest",
    "tag",
    "mac",
    "commitment",
    "expected",
    "signature",
    "secret",
    "pin",
    "share",
    "root",
)
"""A comparison by == or != with one of these on either side would take time that depends on the secret."""
PUBLIC = {("capsule.py", "SHARE"), ("keyed.py", "SECRET"), ("signing.py", "SIGNATURE")}
"""Lengths."""


def compared(tree: ast.AST) -> list[tuple[int, str]]:
    return [
        (node.lineno, name_of(side))
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops)
        for side in (node.left, *node.comparators)
    ]


def name_of(node: ast.AST) -> str:
    if isinstance(node, ast.Subscript):
        return name_of(node.value)
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def test_nothing_secret_is_compared_by_equality() -> None:
    wrong = [
        f"{path.name}:{line} compares {name}"
        for path in sorted(FOLDER.glob("*.py"))
        for line, name in compared(ast.parse(path.read_text("utf-8")))
        if any(name.lower().strip("_") == word for word in SECRET_WORDS) and (path.name, name) not in PUBLIC
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", ["cobblestone.py", "pins.py", "keystore_pkcs11.py"])
def test_where_secrets_are_compared_it_is_by_compare_digest(name: str) -> None:
    calls = [
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in ast.walk(ast.parse((FOLDER / name).read_text("utf-8")))
        if isinstance(node, ast.Call)
    ]
    assert "compare_digest" in calls


def test_every_way_of_not_opening_has_one_error_and_one_text() -> None:
    context = Context(Purpose.REFERENCE, "shop", "ab" * 16)
    with MemoryKeyStore() as store:
        sealed = seal(b"plain", context, store)
        body = seal_message(bytes(32), b"c", b"plain", bytes)
        bearer = Bearer("4938", b"p" * 16)
        kept = seal_keyed(b"plain", context, bearer, store, cost=FLOOR)
        ways = [
            lambda: unseal(sealed, Context(Purpose.REFERENCE, "other", "ab" * 16), store),
            lambda: unseal(sealed[:-1], context, store),
            lambda: unseal(sealed[:-1] + bytes([sealed[-1] ^ 1]), context, store),
            lambda: unseal(flipped(sealed, 20), context, store),
            lambda: unseal_message(bytes(31) + b"\1", b"c", body),
            lambda: unseal_message(bytes(32), b"d", body),
            lambda: unseal_message(bytes(32), b"c", flipped(body, 30)),
            lambda: unseal_message(bytes(32), b"c", body[:70]),
            lambda: unseal_keyed(kept, context, Bearer("4939", bearer.secret), store, cost=FLOOR),
            lambda: unseal_keyed(kept, context, Bearer(bearer.pin, b"q" * 16), store, cost=FLOOR),
            lambda: unseal_keyed(flipped(kept, 3), context, bearer, store, cost=FLOOR),
        ]
        said = set()
        for way in ways:
            with pytest.raises(SealBroken) as caught:
                way()
            said.add((type(caught.value), str(caught.value), caught.value.args))
        assert len(said) == 1


def test_a_refused_keyed_template_costs_the_same_work_whatever_is_wrong() -> None:
    context = Context(Purpose.KEYED, "shop", "ab" * 16)
    bearer = Bearer("4938", b"p" * 16)
    with CountingStore() as store:
        kept = seal_keyed(b"plain", context, bearer, store, cost=FLOOR)
        costs = []
        for sealed, given in (
            (kept, Bearer("0000", bearer.secret)),
            (b"", bearer),
            (flipped(kept, 0), bearer),
        ):
            store.derived = 0
            with pytest.raises(SealBroken):
                unseal_keyed(sealed, context, given, store, cost=FLOOR)
            costs.append(store.derived)
        assert costs == [1, 1, 1]


class CountingStore(MemoryKeyStore):
    """Counts derivations, each of which is followed by one Argon2id."""

    derived = 0

    def derive_into(self, label: bytes, out: bytearray) -> None:
        self.derived += 1
        super().derive_into(label, out)


def flipped(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
