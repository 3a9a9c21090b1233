"""The TPM2 slot on a software TPM: opens unattended on the machine it was made on, and nowhere else."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from keys import create_file_keystore, open_keystore
from keys.errors import FormatError, KeysError, ProviderError, UnlockError
from keys.keystore_file import open_with_chip
from keys.passphrase import FLOOR
from keys.slots import Header, Slot, SlotKind, decode_header
from keys.tpm2_slot import Chip

pytestmark = pytest.mark.tpm2
PASSPHRASE = "correct horse battery"


@contextmanager
def running_tpm(folder: Path) -> Iterator[str]:
    """How to reach a fresh software TPM."""
    folder.mkdir()
    port = free_pair()
    server, control = (f"type=tcp,port={p},bindaddr=127.0.0.1" for p in (port, port + 1))
    command = ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={folder}", "--server", server]
    command += ["--ctrl", control, "--flags", "not-need-init,startup-clear"]
    with subprocess.Popen(command) as process:
        try:
            wait_for(port)
            yield f"swtpm:host=127.0.0.1,port={port}"
        finally:
            process.kill()


def free_pair() -> int:
    """A port that is free together with the next one, which swtpm takes for its control channel."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


def wait_for(port: int) -> None:
    # The control channel is asked: a connection to the other one would be taken for the chip's user.
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port + 1)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("swtpm did not start")


@pytest.fixture(scope="module")
def tcti(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_tpm(tmp_path_factory.mktemp("tpm") / "chip") as reached:
        yield reached


@pytest.fixture
def chip(tcti: str) -> Chip:
    from keys.tpm2 import Tpm2Chip

    return Tpm2Chip(tcti)


@pytest.fixture
def store(tmp_path: Path, chip: Chip) -> Path:
    path = tmp_path / "keys.fpk"
    with create_file_keystore(path, PASSPHRASE, cost=FLOOR) as made:
        made.add_chip(chip, frozenset({16}))
    return path


def test_the_chip_opens_the_store_without_a_secret(store: Path, tcti: str) -> None:
    with open_keystore(f"file:{store}?slot=tpm2&tcti={tcti}", never_asked) as opened:
        wrapped, out = opened.wrap(bytearray(b"k" * 32), b"c"), bytearray(32)
        opened.unwrap_into(wrapped, b"c", out)
        assert out == b"k" * 32


def never_asked() -> str:
    raise AssertionError("a TPM2 slot asks for no secret")


def test_another_chip_does_not_open_it(store: Path, tmp_path: Path) -> None:
    from keys.tpm2 import Tpm2Chip

    before = store.read_bytes()
    with running_tpm(tmp_path / "other") as other, pytest.raises(UnlockError, match="another chip"):
        open_with_chip(store, Tpm2Chip(other))
    assert store.read_bytes() == before


def test_a_machine_that_started_otherwise_does_not_open_it(store: Path, chip: Chip, tcti: str) -> None:
    extend(tcti, 16)
    with pytest.raises(UnlockError, match="boot settings"):
        open_with_chip(store, chip)
    # The passphrase is the way back, and makes a slot for the machine as it is now.
    with open_keystore(f"file:{store}", lambda: PASSPHRASE) as opened:
        opened.add_chip(chip, frozenset({16}))  # type: ignore[attr-defined]
    open_with_chip(store, chip).close()


def extend(tcti: str, pcr: int) -> None:
    from tpm2_pytss import ESAPI, ESYS_TR, TPM2_ALG, TPML_DIGEST_VALUES, TPMT_HA, TPMU_HA

    digest = TPMT_HA(hashAlg=TPM2_ALG.SHA256, digest=TPMU_HA(sha256=b"m" * 32))
    with ESAPI(tcti) as esapi:
        esapi.pcr_extend(ESYS_TR(pcr), TPML_DIGEST_VALUES([digest]))


def test_a_chip_that_is_gone_is_named_and_changes_nothing(store: Path) -> None:
    from keys.tpm2 import Tpm2Chip

    before = store.read_bytes()
    with pytest.raises(ProviderError, match="TPM"):
        open_with_chip(store, Tpm2Chip("swtpm:host=127.0.0.1,port=1"))
    assert store.read_bytes() == before


def test_a_store_without_such_a_slot_says_so(tmp_path: Path, chip: Chip) -> None:
    path = tmp_path / "keys.fpk"
    create_file_keystore(path, PASSPHRASE, cost=FLOOR).close()
    with pytest.raises(UnlockError, match="no slot of kind tpm2"):
        open_with_chip(path, chip)


def test_every_changed_byte_of_the_slot_is_refused(store: Path, chip: Chip) -> None:
    header, end = decode_header(store.read_bytes())
    body = store.read_bytes()[end:]
    slot = next(slot for slot in header.slots if slot.kind is SlotKind.TPM2)
    for at in range(len(slot.payload)):
        payload = bytearray(slot.payload)
        payload[at] ^= 1 << at % 8
        bad = Slot(slot.kind, slot.number, bytes(payload))
        store.write_bytes(Header(header.store_id, (header.slots[0], bad)).encode() + body)
        with pytest.raises(KeysError):
            open_with_chip(store, chip)


@pytest.mark.parametrize("pcrs", [frozenset(), frozenset({24}), frozenset({-1})])
def test_registers_that_do_not_exist_are_refused(store: Path, chip: Chip, pcrs: frozenset[int]) -> None:
    with (
        open_keystore(f"file:{store}", lambda: PASSPHRASE) as opened,
        pytest.raises(FormatError, match="registers"),
    ):
        opened.add_chip(chip, pcrs)  # type: ignore[attr-defined]
