"""06 C0 Read Card: who stands there, without a payment."""

from __future__ import annotations

from pos_adapter.protocols.zvt import answers
from pos_adapter.protocols.zvt.answers import StatusInformation
from pos_adapter.protocols.zvt.commands import CARD_ITEM_WANTED, Order
from pos_adapter.protocols.zvt.dialogue import Dialogue
from pos_adapter.protocols.zvt.forward import forward_accepted
from pos_adapter.protocols.zvt.outcomes import OUTCOMES, SYSTEM_ERROR
from pos_adapter.protocols.zvt.terminal import Terminal
from pos_adapter.types import IdentifyRequest, IdentifyResponse, Outcome
from pos_adapter.upstream import FALL_BACK


def read_card(terminal: Terminal, dialogue: Dialogue, order: Order) -> None:
    """06 C0: who stands there, without paying; the pseudonym only if TLV 1F15 asks for it."""
    host, key = terminal.session.host, terminal.new_key()
    request = IdentifyRequest(key, float(order.timeout_s) if order.timeout_s else None)
    with terminal.session.occupied() as free:
        if not free:
            dialogue.refuse(OUTCOMES[Outcome.BUSY].refusal)
            return
        dialogue.accept()
        response = terminal.if_it_can(
            lambda: dialogue.aside(
                lambda: host.identify(request, terminal.no_listener), lambda: host.cancel(key)
            )
        ) or IdentifyResponse(Outcome.FAILURE, terminal.session.now())
    if terminal.upstream is not None and response.outcome in FALL_BACK:
        forward_accepted(terminal, terminal.upstream, dialogue, order.message, key)
        return
    if response.outcome is not Outcome.APPROVED:
        row = OUTCOMES[response.outcome]
        dialogue.finish(answers.aborted(row.abort if row.abort is not None else SYSTEM_ERROR))
        return
    dialogue.tell(answers.status_information(_card_status(terminal, order, response)))
    dialogue.finish(answers.completion())


def _card_status(terminal: Terminal, order: Order, response: IdentifyResponse) -> StatusInformation:
    status = StatusInformation(0, card_name=terminal.options.name, terminal_id=terminal.options.terminal_id)
    if response.pseudonym and order.item(CARD_ITEM_WANTED) is not None:
        return answers.with_card_item(status, response.pseudonym)
    return status
