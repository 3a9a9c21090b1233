"""ReconciliationRequest and GetTotalsRequest: the sums since the last close; the first of them closes.

With a card terminal behind this one both go there: its end of day is the shop's.
"""

from __future__ import annotations

from collections.abc import Mapping

from pos_adapter.errors import KeyReused, MalformedMessage
from pos_adapter.protocols.nexo import answers
from pos_adapter.protocols.nexo.answers import Body
from pos_adapter.protocols.nexo.header import Header, require_object, require_text
from pos_adapter.protocols.nexo.json_text import Json
from pos_adapter.protocols.nexo.options import Instrument, NexoOptions
from pos_adapter.protocols.nexo.outcomes import SUCCESS
from pos_adapter.protocols.nexo.payments import fingerprint
from pos_adapter.protocols.nexo.recall import Packed
from pos_adapter.protocols.nexo.terminal import Answer, Incoming, Terminal
from pos_adapter.types import CurrencyTotals, Money, Totals

_KINDS = frozenset(
    {"SaleReconciliation", "AcquirerSynchronisation", "AcquirerReconciliation", "PreviousReconciliation"}
)


def reconcile(terminal: Terminal, incoming: Incoming) -> Answer:
    """ReconciliationRequest of type SaleReconciliation: the sums, and a new period; once a key."""
    request = require_object(incoming.message.body, "ReconciliationRequest")
    kind = require_text(request, "ReconciliationType")
    if kind not in _KINDS:
        raise MalformedMessage(f"ReconciliationType {kind[:20]!r} is unknown")
    if kind != "SaleReconciliation":
        text = "only SaleReconciliation is done here: nothing is reconciled with an acquirer at this terminal"
        return Answer(answers.failure("Reconciliation", "NotAllowed", text, ReconciliationType=kind))
    header = incoming.message.header
    try:
        exchange, fresh = terminal.exchanges.open(header.key, fingerprint(incoming.message))
    except KeyReused as error:
        return Answer(answers.failure("Reconciliation", "NotAllowed", str(error), ReconciliationType=kind))
    if not fresh:
        exchange.ended.wait(terminal.options.sale_s)
        running = answers.failure("Reconciliation", "InProgress", ReconciliationType=kind)
        return Answer(exchange.answer() if exchange.answer else running)
    try:
        totals = terminal.session.host.totals(close=True)
    except BaseException:
        terminal.exchanges.forget(exchange.key)
        raise
    told = _sums(totals, header, terminal.options)
    body: Body = {
        "ReconciliationResponse": {"Response": answers.response(SUCCESS), "ReconciliationType": kind, **told}
    }
    exchange.end(Packed(body))
    return Answer(body)


def get_totals(terminal: Terminal, incoming: Incoming) -> Answer:
    """GetTotalsRequest: the sums so far; nothing is closed."""
    require_object(incoming.message.body, "GetTotalsRequest")
    totals = terminal.session.host.totals(close=False)
    told = _sums(totals, incoming.message.header, terminal.options)
    return Answer({"GetTotalsResponse": {"Response": answers.response(SUCCESS), **told}})


def _sums(totals: Totals, header: Header, options: NexoOptions) -> Mapping[str, Json]:
    lists = [_of_currency(entry, header, options) for entry in totals.currencies]
    # The period's own name: the moment it began.
    return {"POIReconciliationID": totals.since.strftime("%Y%m%d%H%M%S"), "TransactionTotals": lists}


def _of_currency(entry: CurrencyTotals, header: Header, options: NexoOptions) -> Json:
    stored = options.instrument is Instrument.STORED_VALUE
    return {
        "PaymentInstrumentType": "StoredValue" if stored else "Card",
        "POIID": header.poi_id,
        "PaymentCurrency": entry.paid.currency,
        "PaymentTotals": [
            _line("Debit", entry.payments, entry.paid),
            _line("Credit", entry.refunds, entry.refunded),
        ],
    }


def _line(kind: str, count: int, amount: Money) -> Json:
    return {"TransactionType": kind, "TransactionCount": count, "TransactionAmount": answers.number(amount)}
