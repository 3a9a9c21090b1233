"""hw_proxy under its real server: polling, retries, origins, and what counts as having learned."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from facepay.testing.waiting import eventually
from pos_adapter.http_link import HttpServer, app_of
from pos_adapter.protocols.hw_proxy.options import HwProxyOptions
from pos_adapter.protocols.hw_proxy.wire import HwProxyWire
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.host import SimulatedHost, SimulatorOptions
from pos_adapter.types import Settlement, TerminalStatus

pytestmark = pytest.mark.filterwarnings("ignore:the simulated host:UserWarning")
ORIGIN = "https://shop.example.com"
NO_JSON = (float("nan"), float("inf"))


class Browser:
    def __init__(self, host: SimulatedHost, port: int) -> None:
        self.host = host
        self.port = port
        self.status = 0
        self.headers: dict[str, str] = {}

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, f"/hw_proxy/{path}", body, {"Origin": ORIGIN, **sent})
        answer = connection.getresponse()
        self.status, self.headers = answer.status, {k.lower(): v for k, v in answer.getheaders()}
        data = answer.read()
        connection.close()
        return data

    def call(self, path: str, params: object) -> Any:
        body = {"id": 7, "jsonrpc": "2.0", "method": "call", "params": params}
        answer = json.loads(self.send("POST", path, json.dumps(body).encode()))
        assert self.headers["access-control-allow-origin"] == ORIGIN
        assert answer["id"] == 7
        return answer.get("result", answer.get("error"))

    def start(self, amount: object, payment: str | None, **more: object) -> Any:
        info = {
            "amount": amount,
            "currency_iso": "EUR",
            "currency_decimals": 2,
            "payment_mode": "card",
            "payment_id": payment,
            "order_id": "SHOP/0001",
        }
        text = json.dumps({**info, **more})
        return self.call("payment_terminal_transaction_start", {"payment_info": text})

    def poll(self, transaction: str) -> Any:
        return self.call("status_json", {})["hw_proxy"]["transactions"][transaction]

    def outcome(self, transaction: str) -> Any:
        eventually(lambda: self.poll(transaction)["success"] is not None)
        return self.poll(transaction)


@contextmanager
def open_shop(host: SimulatedHost | None = None, unasked_s: float = 15.0) -> Iterator[Browser]:
    host = host or SimulatedHost(SimulatorOptions())
    options = HwProxyOptions(origins=frozenset({ORIGIN}), unasked_s=unasked_s)
    wire = HwProxyWire(TransactionSession(host), options)
    with HttpServer(app_of([wire])) as server, wire:
        yield Browser(host, server.port)


def settlements(of: SimulatedHost) -> list[Settlement]:
    return [record.settlement for record in of.payments.values()]


def test_a_payment_is_polled_to_its_success_and_captured_once_told() -> None:
    with open_shop(SimulatedHost(SimulatorOptions(shopper_s=60))) as browser:
        assert browser.send("GET", "hello") == b"ping"
        assert browser.call("handshake", {}) is True
        transaction = browser.start(10.99, "line-1")["transaction_id"]
        pending = browser.poll(transaction)
        assert "success" in pending
        assert pending["success"] is None
        eventually(lambda: browser.host.payments)
        browser.host.act()
        entry = browser.outcome(transaction)
        assert (entry["success"], entry["transaction_id"]) == (True, transaction)
        assert entry["reference"]
        eventually(lambda: settlements(browser.host) == [Settlement.CAPTURED])
        (record,) = browser.host.payments.values()
        assert (record.request.amount.minor, record.request.reference) == (1099, "SHOP/0001")


@pytest.mark.fault("a replayed body", "hw_proxy")
def test_a_paid_line_is_found_again_and_a_failed_one_begins_anew() -> None:
    with open_shop() as browser:
        paid = browser.start(12.40, "line-1")
        assert browser.outcome(paid["transaction_id"])["success"] is True
        assert browser.start(12.40, "line-1") == paid
        failed = browser.start(12.01, "line-2")
        assert browser.outcome(failed["transaction_id"])["success"] is False
        again = browser.start(12.01, "line-2")
        assert again != failed
        assert browser.start(13.00, "line-1")["code"] == -32602
    assert len(browser.host.payments) == 3


@pytest.mark.fault("silent after the answer, before the acknowledgement", "hw_proxy")
def test_an_approval_nobody_asks_about_is_voided() -> None:
    with open_shop(unasked_s=0.2) as browser:
        browser.start(12.40, "line-1")
        eventually(lambda: settlements(browser.host) == [Settlement.VOIDED])


@pytest.mark.fault("gone after the request", "hw_proxy")
def test_a_payment_nobody_asks_about_is_cancelled_and_so_is_one_on_request() -> None:
    with open_shop(unasked_s=0.2) as browser:
        transaction = browser.start(12.10, "line-1")["transaction_id"]
        eventually(lambda: [record.response for record in browser.host.payments.values()] != [None])
        assert browser.outcome(transaction)["status"] == "Cancelled"
        transaction = browser.start(12.10, "line-2")["transaction_id"]
        browser.call("payment_terminal_transaction_cancel", {"transaction_id": transaction})
        assert browser.outcome(transaction)["success"] is False


def test_a_till_of_odoo_10_to_12_finds_its_payment_by_the_order() -> None:
    with open_shop(SimulatedHost(SimulatorOptions(shopper_s=60))) as browser:
        browser.start(12.40, None, payment_id=None, order_id="00001-002-0003")
        eventually(lambda: browser.host.payments)
        assert browser.call("status_json", {})["hw_proxy"]["in_transaction"] is True
        browser.host.act()
        eventually(lambda: browser.call("status_json", {})["hw_proxy"]["latest_transactions"])
        driver = browser.call("status_json", {})["hw_proxy"]
        (entry,) = driver["latest_transactions"]["00001-002-0003"]
        assert (entry["amount_cents"], entry["amount"], bool(entry["reference"])) == (1240, 12.4, True)
        assert (driver["in_transaction"], driver["messages"]) == (False, [])
        eventually(lambda: settlements(browser.host) == [Settlement.CAPTURED])


def test_a_till_of_odoo_8_never_asks_and_is_charged_at_the_approval() -> None:
    with open_shop(SimulatedHost(SimulatorOptions(shopper_s=60)), unasked_s=0.1) as browser:
        info = json.dumps({"amount": 12.40, "currency_iso": "EUR", "currency_decimals": 2})
        assert browser.call("payment_terminal_transaction_start", {"payment_info": info})
        eventually(lambda: browser.host.payments)
        # Longer than a till of today may be silent before its payment is given up.
        time.sleep(0.4)
        browser.host.act()
        eventually(lambda: settlements(browser.host) == [Settlement.CAPTURED])
        (record,) = browser.host.payments.values()
        assert (record.settlement, record.request.till_listens) == (Settlement.CAPTURED, False)


@pytest.mark.fault("a second client while busy", "hw_proxy")
def test_busy_and_broken_terminals_answer_false() -> None:
    with open_shop() as browser:
        transaction = browser.start(12.10, "line-1")["transaction_id"]
        assert browser.start(12.40, "line-2") is False
        browser.call("payment_terminal_transaction_cancel", {"transaction_id": transaction})
        browser.outcome(transaction)
        browser.host.terminal = TerminalStatus.OUT_OF_ORDER
        assert browser.start(12.40, "line-2") is False
        assert browser.call("status_json", {})["hw_proxy"]["status"] == "disconnected"


def test_an_unknown_result_stays_null() -> None:
    with open_shop(SimulatedHost(SimulatorOptions(unknown_s=600))) as browser:
        transaction = browser.start(12.09, "line-1")["transaction_id"]
        eventually(lambda: [record.response for record in browser.host.payments.values()] != [None])
        assert browser.poll(transaction)["success"] is None
        browser.host.resolve()
        assert browser.outcome(transaction)["success"] is True


@pytest.mark.parametrize(
    ("amount", "minor"), [(0.1 + 0.2, 30), (10.99, 1099), (1e2, 10000), (12, 1200), (4.35, 435)]
)
def test_binary_floats_of_a_browser_become_whole_cents(amount: float, minor: int) -> None:
    with open_shop() as browser:
        browser.outcome(browser.start(amount, "line-1")["transaction_id"])
        (record,) = browser.host.payments.values()
        assert record.request.amount.minor == minor


@pytest.mark.fault("impossible amounts", "hw_proxy")
@pytest.mark.fault("NaN, digits that are none", "hw_proxy")
@pytest.mark.fault("unknown currency", "hw_proxy")
@pytest.mark.parametrize(
    "change",
    [
        {"amount": 0},
        {"amount": -1.5},
        {"amount": 10.995},
        {"amount": "10.99"},
        {"amount": True},
        {"amount": 1e300},
        {"amount": NO_JSON[0]},
        {"amount": NO_JSON[1]},
        {"currency_iso": "ZZZ"},
        {"currency_iso": "CHF"},
        {"currency_iso": 978},
        {"payment_id": ""},
        {"payment_id": "8" * 65},
        {"payment_id": ["8f2c"]},
        {"order_id": {}},
    ],
)
def test_an_impossible_request_is_a_json_rpc_error(change: dict[str, object]) -> None:
    with open_shop() as browser:
        error = browser.start(**{"amount": 10.99, "payment": "line-1", **change})  # type: ignore[arg-type]
        # NaN and infinity are no JSON at all.
        assert error["code"] == (-32700 if change.get("amount") in NO_JSON else -32602)
        assert error["message"]
    assert browser.host.payments == {}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"params": 3}',
        b'{"params": {"payment_info": "{"}}',
        b'{"params": {"payment_info": "{\\"amount\\": NaN}"}}',
        b'{"params": {"payment_info": "{\\"amount\\": 1e4000000000, \\"currency_iso\\": \\"EUR\\"}"}}',
        b'{"params": {"payment_info": {}}}',
        b"[" * 10000,
        b"x" * 1_000_000,
    ],
)
def test_damaged_calls_are_json_rpc_errors(body: bytes) -> None:
    with open_shop() as browser:
        answer = json.loads(browser.send("POST", "payment_terminal_transaction_start", body))
        assert answer["error"]["code"] < 0
    assert browser.host.payments == {}


def test_only_the_shops_own_pages_may_call() -> None:
    with open_shop() as browser:
        browser.send(
            "OPTIONS",
            "status_json",
            Access_Control_Request_Method="POST",
            Access_Control_Request_Private_Network="true",
        )
        assert browser.status == 204
        assert browser.headers["access-control-allow-origin"] == ORIGIN
        assert browser.headers["access-control-allow-private-network"] == "true"
        assert "Content-Type" in browser.headers["access-control-allow-headers"]
        browser.send("OPTIONS", "status_json", Origin="https://elsewhere.example.com")
        assert browser.status == 403
        assert "access-control-allow-origin" not in browser.headers
        browser.send(
            "POST", "payment_terminal_transaction_start", b"{}", Origin="https://elsewhere.example.com"
        )
        assert browser.status == 403
    assert browser.host.payments == {}


@pytest.mark.fault("unknown command", "hw_proxy")
def test_an_unknown_call_is_a_json_rpc_error() -> None:
    with open_shop() as browser:
        answer = json.loads(
            browser.send("POST", "open_cashbox", b'{"id": 1, "jsonrpc": "2.0", "params": {}}')
        )
        assert browser.status == 404
        assert answer["error"]["message"]
    assert browser.host.payments == {}
