"""nexo with a client nobody here wrote: npm `@adyen/api-library`, installed into a cache and never shipped.

It opens port 8443 and the path `/nexo/`, checks the certificate's common name, and encrypts by itself.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pos_adapter.certificates import CertificateFiles, CertificateOrder, make_certificates, server_context
from pos_adapter.errors import LinkUnavailable
from pos_adapter.http_link import HttpServer, app_of
from pos_adapter.protocols.nexo.local_encryption import KeyName
from pos_adapter.protocols.nexo.options import NexoOptions
from pos_adapter.protocols.nexo.wire import TLS_PORT, NexoWire
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.host import SimulatedHost
from pos_adapter.types import Settlement

pytestmark = [pytest.mark.node, pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")]
PASSPHRASE = "facepay-local-passphrase"
PORT_PATIENCE_S = 120.0
"""Another run on this machine may hold the port for its own few tests."""
SCRIPT = Path(__file__).with_name("adyen_till.cjs")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    order = CertificateOrder("FACE01-000000001", ["127.0.0.1", "localhost"])
    return make_certificates(tmp_path_factory.mktemp("tls"), order)


@pytest.fixture
def host() -> SimulatedHost:
    return SimulatedHost()


@pytest.fixture
def terminal(host: SimulatedHost, certificates: CertificateFiles) -> Iterator[None]:
    options = NexoOptions(
        passphrases={KeyName("till-key", 1): PASSPHRASE}, clear_allowed=True, api_key="key", sale_s=20
    )
    tls = server_context(certificates.leaf, certificates.key)
    with ExitStack() as running:
        deadline = time.monotonic() + PORT_PATIENCE_S
        while True:
            app = app_of([NexoWire(TransactionSession(host), options)])
            try:
                running.enter_context(HttpServer(app, port=TLS_PORT, tls=tls))
                break
            except LinkUnavailable:
                if time.monotonic() > deadline:
                    pytest.skip(f"port {TLS_PORT}, which this client insists on, is taken")
                time.sleep(0.2)
        yield


def drive(
    modules: Path, mode: str, authority: Path, passphrase: str = PASSPHRASE
) -> dict[str, dict[str, object]]:
    node = shutil.which("node") or "node"
    command = [node, str(SCRIPT), str(modules), mode, "https://127.0.0.1", str(authority), passphrase]
    environment = {**os.environ, "NODE_EXTRA_CA_CERTS": str(authority)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    return {line["name"]: line["answer"] for line in lines}


def response(answer: dict[str, object], category: str) -> dict[str, object]:
    assert "failed" not in answer, answer
    return answer["SaleToPOIResponse"][f"{category}Response"]


@pytest.mark.parametrize("mode", ["encrypted", "plain", "sync"])
def test_the_npm_client_pays_asks_aborts_and_reverses(
    mode: str, node_modules: Path, certificates: CertificateFiles, host: SimulatedHost, terminal: None
) -> None:
    told = drive(node_modules, mode, certificates.authority)
    assert response(told["login"], "Login")["Response"]["Result"] == "Success"
    assert response(told["diagnosis"], "Diagnosis")["POIStatus"]["GlobalStatus"] == "OK"
    paid = response(told["approved"], "Payment")
    assert paid["Response"]["Result"] == "Success"
    assert paid["PaymentResult"]["AmountsResp"]["AuthorizedAmount"] == 10.99
    status = response(told["status"], "TransactionStatus")
    repeated = status["RepeatedMessageResponse"]["RepeatedResponseMessageBody"]["PaymentResponse"]
    assert repeated["POIData"]["POITransactionID"] == paid["POIData"]["POITransactionID"]
    unknown = response(told["unknown status"], "TransactionStatus")["Response"]
    assert unknown["ErrorCondition"] == "NotFound"
    assert response(told["declined"], "Payment")["Response"]["ErrorCondition"] == "Refusal"
    assert response(told["reversal"], "Reversal")["Response"]["Result"] == "Success"
    assert response(told["aborted"], "Payment")["Response"]["ErrorCondition"] == "Aborted"
    assert "failed" not in (told["abort"] or {})
    assert response(told["logout"], "Logout")["Response"]["Result"] == "Success"
    settled = [record.settlement for record in host.payments.values()]
    assert settled == [Settlement.VOIDED, Settlement.NONE, Settlement.NONE]


def test_a_wrong_passphrase_pays_nothing(
    node_modules: Path, certificates: CertificateFiles, host: SimulatedHost, terminal: None
) -> None:
    told = drive(node_modules, "encrypted", certificates.authority, "another-passphrase")
    assert all(answer["statusCode"] == 401 for answer in told.values())
    assert not host.payments


def test_a_certificate_of_another_authority_is_refused_by_the_client(
    node_modules: Path, host: SimulatedHost, terminal: None, tmp_path: Path
) -> None:
    other = make_certificates(tmp_path / "other", CertificateOrder("FACE01-1", ["127.0.0.1"]))
    told = drive(node_modules, "encrypted", other.authority)
    assert "certificate" in str(told["approved"]["failed"])
    assert not host.payments
