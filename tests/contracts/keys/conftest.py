"""One maker per key store: from an empty folder to an open store with active keys."""

from __future__ import annotations

import glob
import json
import os
import subprocess
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys import create_keystore
from keys.base import KeyStore
from keys.keystore_file import create_file_keystore
from keys.keystore_memory import MemoryKeyStore
from keys.passphrase import FLOOR

VAULT_TOKEN = "s.a-token"


class Transit:
    """Named AES-256-GCM keys."""

    def __init__(self) -> None:
        self.keys: dict[str, bytes] = {}
        self.deletable: set[str] = set()

    def answer(self, method: str, path: str, body: dict[str, object]) -> tuple[int, dict[str, object]]:
        verb, name, *rest = path.removeprefix("/v1/transit/").split("/")
        if verb == "keys" and rest == ["config"]:
            if name not in self.keys:
                return 400, {"errors": ["no existing key"]}
            self.deletable.add(name)
            return 200, {}
        if verb == "keys" and method == "POST":
            self.keys.setdefault(name, os.urandom(32))
            return 200, {}
        if verb == "keys" and method == "DELETE":
            if name not in self.deletable:
                return 400, {"errors": ["deletion is not allowed for this key"]}
            del self.keys[name]
            return 204, {}
        if name not in self.keys:
            return 400, {"errors": ["encryption key not found"]}
        return self._crypt(verb, AESGCM(self.keys[name]), body)

    def _crypt(self, verb: str, cipher: AESGCM, body: dict[str, object]) -> tuple[int, dict[str, object]]:
        associated = b64decode(str(body["associated_data"]))
        if verb == "encrypt":
            nonce = os.urandom(12)
            sealed = nonce + cipher.encrypt(nonce, b64decode(str(body["plaintext"])), associated)
            return 200, {"data": {"ciphertext": f"vault:v1:{b64encode(sealed).decode()}"}}
        text = str(body["ciphertext"])
        if not text.startswith("vault:v1:"):
            return 400, {"errors": ["invalid ciphertext: no prefix"]}
        try:
            sealed = b64decode(text.removeprefix("vault:v1:"), validate=True)
            plain = cipher.decrypt(sealed[:12], sealed[12:], associated)
        except (ValueError, InvalidTag):
            return 400, {"errors": ["cipher: message authentication failed"]}
        return 200, {"data": {"plaintext": b64encode(plain).decode()}}


@contextmanager
def serving_vault() -> Iterator[str]:
    """The address of a running vault."""
    transit = Transit()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, answer = 403, dict[str, object]()
            if self.headers.get("X-Vault-Token") == VAULT_TOKEN:
                status, answer = transit.answer(self.command, self.path, json.loads(body or b"{}"))
            payload = json.dumps(answer).encode() if status != 204 else b""
            self.send_response(status)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_POST = do_DELETE = _serve  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


PIN = "2468"
HSM_TOKEN = "contract"
Maker = Callable[[Path, ExitStack], KeyStore]


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The module's path. SoftHSM reads its configuration and its tokens once a process: one token for all."""
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    conf = folder / "softhsm2.conf"
    conf.write_text(
        f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    os.environ["SOFTHSM2_CONF"] = str(conf)
    found = glob.glob("/usr/lib/softhsm/libsofthsm2.so") + glob.glob("/usr/lib/*/softhsm/libsofthsm2.so")
    command = ["softhsm2-util", "--module", found[0], "--init-token", "--free", "--label", HSM_TOKEN]
    subprocess.run([*command, "--pin", PIN, "--so-pin", "13571357"], check=True, capture_output=True)
    return found[0]


def _memory(folder: Path, stack: ExitStack) -> KeyStore:
    return MemoryKeyStore()


def _file(folder: Path, stack: ExitStack) -> KeyStore:
    return create_file_keystore(folder / "keys.fpk", "correct horse battery", cost=FLOOR)


def _aws_kms(folder: Path, stack: ExitStack) -> KeyStore:
    moto = pytest.importorskip("moto")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        os.environ[name] = "testing"
    stack.enter_context(moto.mock_aws())
    return create_keystore(f"aws-kms:shop?region=eu-central-1&ring={folder}/ring.fpk", lambda: "")


def _vault(folder: Path, stack: ExitStack) -> KeyStore:
    address = stack.enter_context(serving_vault())
    return create_keystore(f"vault:{address}?ring={folder}/ring.fpk", lambda: VAULT_TOKEN)


STORES: dict[str, Maker] = {"memory": _memory, "file": _file, "aws-kms": _aws_kms, "vault": _vault}


@pytest.fixture(params=[*STORES, pytest.param("pkcs11", marks=pytest.mark.softhsm)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KeyStore]:
    with ExitStack() as stack:
        if request.param == "pkcs11":
            opened = _pkcs11(request.getfixturevalue("softhsm"), tmp_path)
        else:
            opened = STORES[request.param](tmp_path, stack)
        yield stack.enter_context(opened)


def _pkcs11(module: str, folder: Path) -> KeyStore:
    uri = f"pkcs11:token={HSM_TOKEN}?module-path={module}&x-ring={folder}/ring.fpk"
    return create_keystore(uri, lambda: PIN)


@pytest.fixture
def vault() -> Iterator[str]:
    with serving_vault() as address:
        yield address


@pytest.fixture
def other_vault() -> Iterator[str]:
    with serving_vault() as address:
        yield address
