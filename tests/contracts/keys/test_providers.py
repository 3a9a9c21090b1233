"""What one provider alone can get wrong."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from keys import create_keystore, open_keystore
from keys.errors import FormatError, KeysError, LimitReached, ProviderError, SealBroken, UnlockError
from keys.remote import ROOT

KEY = bytearray(b"k" * 32)


def test_a_store_opens_again_and_unwraps_what_it_wrapped(vault: str, tmp_path: Path) -> None:
    uri = f"vault:{vault}?ring={tmp_path}/ring.fpk"
    with create_keystore(uri, lambda: "s.a-token") as before:
        wrapped, signing = before.wrap(KEY, b"c"), before.signing_key
    with open_keystore(uri, lambda: "s.a-token") as after:
        out = bytearray(32)
        after.unwrap_into(wrapped, b"c", out)
        assert out == KEY
        assert after.signing_key == signing


def test_a_wrong_vault_token_is_named(vault: str, tmp_path: Path) -> None:
    with pytest.raises(UnlockError, match="refuses this token"):
        create_keystore(f"vault:{vault}?ring={tmp_path}/r", lambda: "wrong")


def test_a_vault_elsewhere_is_reached_by_tls_only(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="https only"):
        open_keystore(f"vault:http://vault.example:8200?ring={tmp_path}/r", lambda: "x")


def test_a_vault_that_is_down_can_be_tried_again(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="did not answer") as caught:
        create_keystore(f"vault:http://127.0.0.1:9?ring={tmp_path}/r", lambda: "x")
    assert caught.value.retryable


def test_a_ring_without_its_provider_does_not_open(vault: str, other_vault: str, tmp_path: Path) -> None:
    uri = "vault:{}?ring=" + str(tmp_path / "ring.fpk")
    create_keystore(uri.format(vault), lambda: "s.a-token").close()
    with pytest.raises(UnlockError, match="does not open"):
        open_keystore(uri.format(other_vault), lambda: "s.a-token")


@pytest.mark.softhsm
class TestPkcs11:
    def test_the_key_cannot_be_read(self, softhsm: str) -> None:
        import pkcs11
        from pkcs11.exceptions import AttributeSensitive

        from keys.keystore_pkcs11 import Pkcs11Keys

        remote = Pkcs11Keys(softhsm, "contract", "2468")
        remote.create(ROOT)
        with pytest.raises(AttributeSensitive):
            remote._require(ROOT)[pkcs11.Attribute.VALUE]
        remote.close()

    def test_a_token_without_gcm_binds_the_context_in_a_key_wrap(self, softhsm: str) -> None:
        from pkcs11 import Mechanism

        from keys.keystore_pkcs11 import Pkcs11Keys

        remote = Pkcs11Keys(softhsm, "contract", "2468", mechanisms=frozenset({Mechanism.AES_KEY_WRAP}))
        remote.create(ROOT)
        blob, out = remote.encrypt(ROOT, KEY, b"context"), bytearray(32)
        remote.decrypt_into(ROOT, blob, b"context", out)
        assert out == KEY
        with pytest.raises(SealBroken):
            remote.decrypt_into(ROOT, blob, b"other", out)
        for at in range(len(blob)):
            bad = bytearray(blob)
            bad[at] ^= 1
            with pytest.raises(SealBroken):
                remote.decrypt_into(ROOT, bytes(bad), b"context", out)
        remote.close()

    def test_a_token_that_gains_or_loses_gcm_still_says_what_it_opens(self, softhsm: str) -> None:
        from pkcs11 import Mechanism

        from keys.keystore_pkcs11 import Pkcs11Keys

        gcm, wrap = Mechanism.AES_GCM, Mechanism.AES_KEY_WRAP
        for made, now, opens in ((wrap, {gcm, wrap}, True), (wrap, {gcm}, False), (gcm, {wrap}, False)):
            before = Pkcs11Keys(softhsm, "contract", "2468", mechanisms=frozenset({made}))
            before.create(ROOT)
            blob, out = before.encrypt(ROOT, KEY, b"c"), bytearray(32)
            before.close()
            after = Pkcs11Keys(softhsm, "contract", "2468", mechanisms=frozenset(now))
            if opens:
                after.decrypt_into(ROOT, blob, b"c", out)
                assert out == KEY
            else:
                with pytest.raises(ProviderError, match="no longer offers"):
                    after.decrypt_into(ROOT, blob, b"c", out)
            after.close()

    def test_a_key_that_goes_with_its_token_is_no_broken_seal_and_comes_back(self, softhsm: str) -> None:
        from keys.keystore_pkcs11 import Pkcs11Keys
        from keys.types import KeyId

        remote, key, out = Pkcs11Keys(softhsm, "contract", "2468"), KeyId("aaaa0000bbbb1111"), bytearray(32)
        remote.create(key)
        blob = remote.encrypt(key, KEY, b"c")
        kept = remote._handles[key] = _Unplugged()
        with pytest.raises(ProviderError, match="put it back") as caught:
            remote.decrypt_into(key, blob, b"c", out)
        assert caught.value.retryable
        assert kept.asked
        remote.decrypt_into(key, blob, b"c", out)
        assert out == KEY
        remote.destroy(key)
        remote.close()

    def test_a_token_with_neither_mechanism_is_refused(self, softhsm: str) -> None:
        from pkcs11 import Mechanism

        from keys.keystore_pkcs11 import Pkcs11Keys

        with pytest.raises(ProviderError, match="neither"):
            Pkcs11Keys(softhsm, "contract", "2468", mechanisms=frozenset({Mechanism.AES_CBC}))

    @pytest.mark.parametrize("gcm", [True, False])
    def test_no_session_object_is_left_behind(self, softhsm: str, gcm: bool) -> None:
        from pkcs11 import Mechanism

        from keys.keystore_pkcs11 import Pkcs11Keys

        mechanism = Mechanism.AES_GCM if gcm else Mechanism.AES_KEY_WRAP
        remote = Pkcs11Keys(softhsm, "contract", "2468", mechanisms=frozenset({mechanism}))
        remote.create(ROOT)
        blob, out = remote.encrypt(ROOT, KEY, b"c"), bytearray(32)
        before = len(list(remote._session.get_objects()))
        for _ in range(50):
            remote.encrypt(ROOT, KEY, b"c")
            remote.decrypt_into(ROOT, blob, b"c", out)
            with pytest.raises(SealBroken):
                remote.decrypt_into(ROOT, blob, b"d", out)
        assert len(list(remote._session.get_objects())) == before
        remote.close()

    def test_wraps_are_counted_on_the_token_and_stop_at_the_limit(
        self, softhsm: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from keys import keystore_pkcs11, pkcs11_counter
        from keys.types import KeyId

        monkeypatch.setattr(pkcs11_counter, "WRAP_LIMIT", 6)
        monkeypatch.setattr(pkcs11_counter, "RESERVED", 2)
        key = KeyId("0123456789abcdef")
        for _ in range(2):
            # The second session starts from the count the first left on the token.
            remote = keystore_pkcs11.Pkcs11Keys(softhsm, "contract", "2468")
            remote.create(key)
            for _ in range(3):
                try:
                    remote.encrypt(key, KEY, b"c")
                except LimitReached:
                    assert remote._counter._stored(key) == 6
            remote.close()
        remote = keystore_pkcs11.Pkcs11Keys(softhsm, "contract", "2468")
        with pytest.raises(LimitReached, match="rotate"):
            for _ in range(7):
                remote.encrypt(key, KEY, b"c")
        remote.destroy(key)
        assert not remote._counter._objects(key)
        remote.close()

    def test_threads_share_the_session(self, softhsm: str) -> None:
        from keys.keystore_pkcs11 import Pkcs11Keys

        remote = Pkcs11Keys(softhsm, "contract", "2468")
        remote.create(ROOT)
        blob, failures = remote.encrypt(ROOT, KEY, b"c"), list[KeysError]()

        def work() -> None:
            out = bytearray(32)
            try:
                for _ in range(100):
                    remote.decrypt_into(ROOT, blob, b"c", out)
                    assert out == KEY
            except KeysError as error:
                failures.append(error)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        remote.close()

    def test_a_wrong_pin_and_a_missing_token_are_named(self, softhsm: str) -> None:
        from keys.keystore_pkcs11 import Pkcs11Keys

        with pytest.raises(UnlockError, match="refuses this PIN"):
            Pkcs11Keys(softhsm, "contract", "9999")
        with pytest.raises(UnlockError, match="no token"):
            Pkcs11Keys(softhsm, "absent", "2468")
        with pytest.raises(ProviderError, match="cannot open"):
            Pkcs11Keys("/nowhere.so", "contract", "2468")

    def test_a_closed_session_reads_as_a_removed_token(self, softhsm: str) -> None:
        from keys.keystore_pkcs11 import Pkcs11Keys

        remote = Pkcs11Keys(softhsm, "contract", "2468")
        remote.create(ROOT)
        blob = remote.encrypt(ROOT, KEY, b"c")
        remote._session.close()
        with pytest.raises(ProviderError, match="removed"):
            remote.decrypt_into(ROOT, blob, b"c", bytearray(32))


class _Unplugged:
    """A key's handle on a token that is not there any more."""

    asked = False

    def decrypt(self, *_: object, **__: object) -> bytes:
        from pkcs11.exceptions import ObjectHandleInvalid

        self.asked = True
        raise ObjectHandleInvalid
