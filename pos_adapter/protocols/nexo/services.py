"""Reversal, Login, Logout, Diagnosis, and the device requests this terminal has no device for."""

from __future__ import annotations

import logging
from collections.abc import Callable

from pos_adapter.errors import KeyReused, PosError, UpstreamUnreachable
from pos_adapter.protocols.nexo import answers, requests
from pos_adapter.protocols.nexo.answers import Body
from pos_adapter.protocols.nexo.header import find_flag, require_object, time_text
from pos_adapter.protocols.nexo.outcomes import SUCCESS, NexoOutcome
from pos_adapter.protocols.nexo.payments import fingerprint
from pos_adapter.protocols.nexo.recall import Packed
from pos_adapter.protocols.nexo.requests import ReversalOrder
from pos_adapter.protocols.nexo.terminal import Answer, Incoming, Terminal
from pos_adapter.types import (
    AdjustmentOutcome,
    AdjustmentResponse,
    ExchangeKey,
    Money,
    RefundRequest,
    ReversalRequest,
    TerminalStatus,
)

_log = logging.getLogger(__name__)
GLOBAL_STATUS = {
    TerminalStatus.READY: "OK",
    TerminalStatus.BUSY: "Busy",
    TerminalStatus.OUT_OF_ORDER: "Maintenance",
}


def reverse(terminal: Terminal, incoming: Incoming) -> Answer:
    """ReversalRequest: the whole payment, or a part of it; a repeated one gets the first one's answer."""
    header = incoming.message.header
    order = requests.read_reversal(incoming.message.body)
    try:
        exchange, fresh = terminal.exchanges.open(header.key, fingerprint(incoming.message))
    except KeyReused as error:
        return Answer(answers.failure("Reversal", "NotAllowed", str(error)))
    if not fresh:
        exchange.ended.wait(terminal.options.sale_s)
        running = answers.failure("Reversal", "InProgress")
        return Answer(exchange.answer() if exchange.answer else running)
    try:
        done = _try_to_give_back(terminal, exchange.key, order)
        if done.outcome is AdjustmentOutcome.NOT_FOUND and terminal.card is not None:
            terminal.exchanges.forget(exchange.key)
            return terminal.by_card(incoming, header.key.text)
        body = answers.reversal_body(order.original_body, done, header)
    except UpstreamUnreachable as error:
        body = answers.failure("Reversal", "UnreachableHost", str(error))
    except BaseException:
        terminal.exchanges.forget(exchange.key)
        raise
    exchange.end(Packed(body))
    return Answer(body)


def _try_to_give_back(terminal: Terminal, key: ExchangeKey, order: ReversalOrder) -> AdjustmentResponse:
    """A host that is broken knows of no payment, where a card terminal may know it."""
    try:
        return _give_back(terminal, key, order)
    except PosError:
        raise
    except Exception:
        if terminal.card is None:
            raise
        _log.exception("the payment host failed to give money back; the card terminal is asked")
        return AdjustmentResponse(AdjustmentOutcome.NOT_FOUND, terminal.session.now())


def _give_back(terminal: Terminal, key: ExchangeKey, order: ReversalOrder) -> AdjustmentResponse:
    host = terminal.session.host
    if order.amount is None:
        return host.reverse(ReversalRequest(key, order.original, reason=order.reason))
    currency = order.currency or terminal.currency_of(order.original)
    if currency is None:
        return AdjustmentResponse(AdjustmentOutcome.NOT_FOUND, terminal.session.now())
    amount = Money.from_major(order.amount, currency).require_payable()
    return host.refund(RefundRequest(key, order.original, amount=amount, reason=order.reason))


def login(terminal: Terminal, incoming: Incoming) -> Answer:
    """LoginRequest: nothing to open; the till learns what it talks to."""
    require_object(incoming.message.body, "LoginRequest")
    terminal.logged_in = incoming.message.header.sale_id
    software: Body = {
        "ManufacturerID": "facepay",
        "ApplicationName": "facepay",
        "SoftwareVersion": terminal.options.version,
        "CertificationCode": "none",
    }
    system: Body = {
        "DateTime": time_text(terminal.session.now()),
        "POISoftware": software,
        "POIStatus": _status(terminal),
    }
    return Answer({"LoginResponse": {"Response": answers.response(SUCCESS), "POISystemData": system}})


def logout(terminal: Terminal, incoming: Incoming) -> Answer:
    """LogoutRequest."""
    require_object(incoming.message.body, "LogoutRequest")
    terminal.logged_in = ""
    return Answer({"LogoutResponse": {"Response": answers.response(SUCCESS)}})


def diagnose(terminal: Terminal, incoming: Incoming) -> Answer:
    """DiagnosisRequest: whether a sale could start now."""
    request = require_object(incoming.message.body, "DiagnosisRequest")
    status = _status(terminal)
    body: Body = {
        "Response": answers.response(SUCCESS),
        "POIStatus": status,
        "LoggedSaleID": [terminal.logged_in] if terminal.logged_in else [],
    }
    if find_flag(request, "HostDiagnosisFlag"):
        reachable = status["GlobalStatus"] != "Maintenance"
        host: Body = {"AcquirerID": terminal.options.merchant, "IsReachableFlag": reachable}
        body["HostStatus"] = [host]
    return Answer({"DiagnosisResponse": body})


def _status(terminal: Terminal) -> Body:
    status = terminal.session.status()
    return {
        "GlobalStatus": GLOBAL_STATUS[status],
        "CommunicationOKFlag": True,
        "PrinterStatus": "NoPaper",
        "CardReaderOKFlag": terminal.card is not None,
        "PEDOKFlag": False,
    }


def without_device(category: str, result: str) -> Callable[[Terminal, Incoming], Answer]:
    """An answer for Display, Input, Print and Sound: this terminal shows its own pages and has no printer."""

    def answer(terminal: Terminal, incoming: Incoming) -> Answer:
        require_object(incoming.message.body, f"{category}Request")
        unavailable = answers.response(NexoOutcome("Failure", "UnavailableDevice"))
        if category == "Display":
            outputs = _outputs(incoming)
            return Answer(
                {"DisplayResponse": {result: [{**output, "Response": unavailable} for output in outputs]}}
            )
        if category == "Input":
            return Answer({"InputResponse": {result: {**_device(incoming), "Response": unavailable}}})
        return Answer({f"{category}Response": {"Response": unavailable}})

    return answer


def _outputs(incoming: Incoming) -> list[Body]:
    items = require_object(incoming.message.body, "DisplayRequest").get("DisplayOutput")
    found = items if isinstance(items, list) else [items]
    return [_named(item) for item in found if isinstance(item, dict)]


def _device(incoming: Incoming) -> Body:
    return _named(dict(require_object(require_object(incoming.message.body, "InputRequest"), "InputData")))


def _named(item: Body) -> Body:
    return {name: item[name] for name in ("Device", "InfoQualify") if name in item}
