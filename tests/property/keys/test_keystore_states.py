"""A key store against a model of it: whatever is done in whatever order, both agree."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from keys.errors import KeysError, KeyStateError, KeyUnavailable
from keys.keystore_file import FileKeyStore, create_file_keystore, open_file_keystore
from keys.lifecycle import STEPS
from keys.passphrase import FLOOR
from keys.slots import SlotKind
from keys.types import KeyId, KeyState, KeyUse, WrappedKey

CREDENTIAL = b"0123456789abcdef0123456789abcdef"
KINDS = frozenset({SlotKind.CREDENTIAL})


class KeyStoreStates(RuleBasedStateMachine):
    """Keys, states and wrapped keys as they should be, beside a key store file."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "keys.fpk"
        self.store: FileKeyStore = create_file_keystore(self.path, "correct horse battery", cost=FLOOR)
        self.store.add_credential(CREDENTIAL)
        self.states: dict[KeyId, tuple[KeyUse, KeyState]] = {
            record.key: (record.use, record.state) for record in self.store.records()
        }
        self.wrapped: list[tuple[WrappedKey, bytes]] = []

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    @rule(use=st.sampled_from(KeyUse))
    def generate(self, use: KeyUse) -> None:
        self.states[self.store.generate(use)] = (use, KeyState.PENDING)

    @rule(pick=st.integers(0, 50), state=st.sampled_from(KeyState))
    def advance(self, pick: int, state: KeyState) -> None:
        key = list(self.states)[pick % len(self.states)]
        use, before = self.states[key]
        try:
            self.store.advance(key, state)
        except KeyStateError:
            assert state not in STEPS[before]
            return
        assert state in STEPS[before]
        if state is KeyState.ACTIVE:
            for other, (their_use, their_state) in self.states.items():
                if their_use is use and their_state is KeyState.ACTIVE:
                    self.states[other] = (use, KeyState.DECRYPT_ONLY)
        self.states[key] = (use, state)

    @rule(fill=st.integers(0, 255), context=st.binary(max_size=8))
    def wrap(self, fill: int, context: bytes) -> None:
        active = [k for k, v in self.states.items() if v == (KeyUse.WRAP, KeyState.ACTIVE)]
        try:
            wrapped = self.store.wrap(bytearray([fill] * 32), context)
        except KeyUnavailable:
            assert not active
            return
        assert [wrapped.key] == active
        self.wrapped.append((wrapped, bytes([fill]) + context))

    @precondition(lambda self: self.wrapped)
    @rule(pick=st.integers(0, 50))
    def unwrap(self, pick: int) -> None:
        wrapped, known = self.wrapped[pick % len(self.wrapped)]
        readable = self.states[wrapped.key][1] in {KeyState.ACTIVE, KeyState.DECRYPT_ONLY}
        out = bytearray(32)
        try:
            self.store.unwrap_into(wrapped, known[1:], out)
        except KeysError:
            assert not readable
            assert not any(out)
            return
        assert readable
        assert out == known[:1] * 32

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = open_file_keystore(self.path, lambda: CREDENTIAL, kinds=KINDS)

    @invariant()
    def the_file_says_what_the_model_says(self) -> None:
        assert {r.key: (r.use, r.state) for r in self.store.records()} == self.states


TestKeyStoreStates = KeyStoreStates.TestCase
TestKeyStoreStates.settings = settings(max_examples=12, stateful_step_count=25, deadline=None)
