"""hw_proxy with another proxy behind it, which drives the shop's card terminal (and its printer)."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from facepay.testing.waiting import eventually
from pos_adapter.http_link import HttpServer, app_of
from pos_adapter.http_upstream import HttpUpstream
from pos_adapter.protocols.hw_proxy.options import HwProxyOptions
from pos_adapter.protocols.hw_proxy.wire import HwProxyWire
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.host import SimulatedHost
from pos_adapter.types import Settlement, TerminalStatus

from .test_hw_proxy_sales import ORIGIN, Browser

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")


class CardProxy:
    """A proxy nobody here wrote the protocol of twice: numbers as ids, one driver, one printer."""

    def __init__(self, result: object = None) -> None:
        self.starts: list[bytes] = []
        self.cancels: list[object] = []
        self.printed: list[bytes] = []
        self.success: bool | None = None
        self.result = {"transaction_id": 77} if result is None else result
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                answer = proxy.answer(self.path.rpartition("/")[2], body)
                text = json.dumps({"jsonrpc": "2.0", "id": json.loads(body)["id"], "result": answer}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, call: str, body: bytes) -> object:
        if call == "payment_terminal_transaction_start":
            self.starts.append(body)
            return self.result
        if call == "payment_terminal_transaction_cancel":
            self.cancels.append(json.loads(body)["params"])
            self.success = False
            return True
        if call == "print_xml_receipt":
            self.printed.append(body)
            return True
        entry = {"transaction_id": 77, "success": self.success, "status": "CARD", "reference": "C-1"}
        return {"telium": {"is_terminal": True, "status": "connected", "transactions": {"77": entry}}}


@contextmanager
def open_shop(proxy: CardProxy | None, host: SimulatedHost | None = None) -> Iterator[Browser]:
    host = host or SimulatedHost()
    port = proxy.server.server_port if proxy else 9
    upstream = HttpUpstream(f"http://127.0.0.1:{port}")
    wire = HwProxyWire(TransactionSession(host), HwProxyOptions(origins=frozenset({ORIGIN})), upstream)
    with HttpServer(app_of([wire])) as server, wire:
        yield Browser(host, server.port)
    if proxy:
        proxy.server.shutdown()
        proxy.server.server_close()


def test_what_the_face_did_not_pay_is_paid_by_card_under_the_same_transaction() -> None:
    proxy = CardProxy()
    with open_shop(proxy) as browser:
        transaction = browser.start(12.01, "line-1")["transaction_id"]
        eventually(lambda: proxy.starts)
        assert b'\\"payment_id\\": \\"line-1\\"' in proxy.starts[0]
        entry = browser.poll(transaction)
        assert (entry["success"], entry["transaction_id"]) == (None, transaction)
        assert browser.start(12.01, "line-1") == {"transaction_id": transaction}
        assert browser.start(12.40, "line-2") is False
        proxy.success = True
        entry = browser.outcome(transaction)
        assert (entry["success"], entry["status"], entry["reference"]) == (True, "CARD", "C-1")
        assert browser.start(12.01, "line-1") == {"transaction_id": transaction}
        assert len(proxy.starts) == 1
        eventually(lambda: browser.start(12.40, "line-3") is not False)
    assert next(iter(browser.host.payments.values())).settlement is Settlement.NONE


@pytest.mark.parametrize("result", [False, {"oops": 1}], ids=["refused", "nonsense"])
def test_a_card_terminal_that_does_not_take_it_is_a_refusal(result: object) -> None:
    with open_shop(CardProxy(result)) as browser:
        transaction = browser.start(12.01, "line-1")["transaction_id"]
        assert browser.outcome(transaction)["success"] is False


def test_a_proxy_that_is_not_there_is_a_refusal() -> None:
    with open_shop(None) as browser:
        transaction = browser.start(12.01, "line-1")["transaction_id"]
        assert browser.outcome(transaction)["success"] is False


def test_a_cancel_goes_on_with_the_card_terminals_own_id() -> None:
    proxy = CardProxy()
    with open_shop(proxy) as browser:
        transaction = browser.start(12.01, "line-1")["transaction_id"]
        eventually(lambda: proxy.starts)
        time.sleep(0.1)
        browser.call("payment_terminal_transaction_cancel", {"transaction_id": transaction})
        assert proxy.cancels == [{"transaction_id": 77}]
        assert browser.outcome(transaction)["success"] is False


def test_everything_but_the_wire_dead_still_pays_by_card() -> None:
    proxy = CardProxy()
    host = SimulatedHost()
    host.broken = RuntimeError("no camera, no models, no database")
    with open_shop(proxy, host) as browser:
        assert browser.start(12.40, "line-1") == {"transaction_id": 77}
        proxy.success = True
        drivers = browser.call("status_json", {})
        assert drivers["telium"]["transactions"]["77"]["success"] is True
        assert drivers["hw_proxy"]["status"] == "disconnected"
    assert not host.payments


def test_other_calls_of_the_page_go_to_the_other_proxy_and_strangers_pages_do_not() -> None:
    proxy = CardProxy()
    with open_shop(proxy) as browser:
        assert browser.call("print_xml_receipt", {"receipt": "<a/>"}) is True
        browser.send("POST", "print_xml_receipt", b'{"id": 7}', Origin="https://evil.example.com")
        assert browser.status == 403
        browser.send("OPTIONS", "print_xml_receipt", Access_Control_Request_Private_Network="true")
        assert browser.headers["access-control-allow-private-network"] == "true"
    assert len(proxy.printed) == 1


def test_what_began_at_the_card_terminal_is_cancelled_there() -> None:
    proxy, host = CardProxy(), SimulatedHost()
    host.terminal = TerminalStatus.OUT_OF_ORDER
    with open_shop(proxy, host) as browser:
        transaction = browser.start(12.10, "line-1")["transaction_id"]
        assert browser.call("payment_terminal_transaction_cancel", {"transaction_id": transaction}) is True
    assert proxy.cancels == [{"transaction_id": transaction}]
