"""AbortRequest and TransactionStatusRequest: what runs is stopped, what ended is told again.

Answers are served from memory and, after a restart, from the host's records.
"""

from __future__ import annotations

from pos_adapter.errors import UpstreamUnreachable
from pos_adapter.protocols.nexo import answers, requests
from pos_adapter.protocols.nexo.answers import Body
from pos_adapter.protocols.nexo.exchanges import Exchange
from pos_adapter.protocols.nexo.outcomes import SUCCESS
from pos_adapter.protocols.nexo.terminal import Answer, Incoming, Terminal
from pos_adapter.sale import final_response
from pos_adapter.types import ExchangeKey, Outcome


def abort(terminal: Terminal, incoming: Incoming) -> Answer:
    """AbortRequest: the answer is empty; the aborted request's own answer says Aborted."""
    header = incoming.message.header
    key = requests.read_reference(incoming.message.body, "AbortRequest", header)
    exchange = terminal.exchanges.find(key) if key else None
    if exchange is None:
        return Answer()
    if exchange.forwarded and terminal.card is not None:
        try:
            return terminal.by_card(incoming, header.key.text)
        except UpstreamUnreachable:
            return Answer()
    exchange.stop()
    return Answer()


def tell(terminal: Terminal, incoming: Incoming) -> Answer:
    """TransactionStatusRequest: the recorded answer, still running, or never seen."""
    header = incoming.message.header
    key = requests.read_reference(incoming.message.body, "TransactionStatusRequest", header)
    exchange = (
        terminal.exchanges.find(key) if key else terminal.exchanges.latest(header.poi_id, header.sale_id)
    )
    if key is None and exchange is not None:
        key = exchange.key
    if key is None:
        return Answer(answers.failure("TransactionStatus", "NotFound", "no such transaction"))
    if exchange is not None and not exchange.ended.is_set():
        return Answer(_status_failure("InProgress", key))
    if exchange is not None and exchange.answer is not None:
        body = exchange.answer()
        if _is_unresolved(body):
            return Answer(_status_failure("InProgress", key))
        return Answer(_repeated(body, key), learning=terminal.learning(exchange, key))
    return _status_of_record(terminal, incoming, key, exchange)


def _status_of_record(
    terminal: Terminal, incoming: Incoming, key: ExchangeKey, exchange: Exchange | None
) -> Answer:
    record = terminal.records.find(key)
    if terminal.card is not None and (record is None or (exchange is not None and exchange.forwarded)):
        try:
            return terminal.by_card(incoming, incoming.message.header.key.text)
        except UpstreamUnreachable as error:
            return Answer(_status_failure("UnreachableHost", key, str(error)))
    if record is None:
        return Answer(_status_failure("NotFound", key))
    response = final_response(record)
    if response is None or response.outcome is Outcome.PROVIDER_UNKNOWN:
        return Answer(_status_failure("InProgress", key))
    body = terminal.records.told_from(record, response)
    return Answer(_repeated(body, key), learning=terminal.learning(exchange, key))


def _repeated(body: Body, key: ExchangeKey) -> Body:
    category = next(iter(body)).removesuffix("Response")
    repeated: Body = {
        "MessageHeader": {
            "ProtocolVersion": "3.0",
            "MessageClass": "Service",
            "MessageCategory": category,
            "MessageType": "Response",
            "ServiceID": key.exchange,
            "SaleID": key.till,
            "POIID": key.terminal,
        },
        "RepeatedResponseMessageBody": body,
    }
    reference = _reference(key, category)
    return {
        "TransactionStatusResponse": {
            "Response": answers.response(SUCCESS),
            "MessageReference": reference,
            "RepeatedMessageResponse": repeated,
        }
    }


def _status_failure(condition: str, key: ExchangeKey, text: str = "") -> Body:
    return answers.failure("TransactionStatus", condition, text, MessageReference=_reference(key, "Payment"))


def _is_unresolved(body: Body) -> bool:
    for member in body.values():
        block = member.get("Response") if isinstance(member, dict) else None
        if isinstance(block, dict) and block.get("ErrorCondition") == "InProgress":
            return True
    return False


def _reference(key: ExchangeKey, category: str) -> Body:
    return {
        "MessageCategory": category,
        "ServiceID": key.exchange,
        "SaleID": key.till,
        "POIID": key.terminal,
    }
