"""Builds the payment providers that come with the product; the factories of the plugin group `psp`.

`tools.parts` holds `database` (a `facepay.db.session.Database`) and `now_ms`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from facepay.db.session import Database
from facepay.errors import PluginError
from facepay.plugins import Tools
from facepay.psp.handover import HandoverProvider
from facepay.psp.ledger import LedgerProvider
from facepay.psp.offline import Provider
from facepay.psp.order_book import OrderBook
from facepay.settings import Settings

if TYPE_CHECKING:
    from facepay.psp.stripe.client import Client


def ledger(options: Mapping[str, object], tools: Tools) -> LedgerProvider:
    """The prepaid wallet on the terminal's own database; takes no options."""
    if options:
        raise PluginError(f"the provider ledger takes no options, not {', '.join(sorted(options))}")
    return LedgerProvider(_database(tools).engine, now_ms=_now_ms(tools))


def handover(options: Mapping[str, object], tools: Tools) -> HandoverProvider:
    """Hands the payer's token to the till and charges nothing; takes no options."""
    if options:
        raise PluginError(f"the provider handover takes no options, not {', '.join(sorted(options))}")
    return HandoverProvider(OrderBook(_database(tools).engine, "handover", now_ms=_now_ms(tools)))


def stripe(options: Mapping[str, object], tools: Tools) -> Provider:
    """Cards on file at Stripe; the secret key is `psp.secret`. Options: `timeout_s`, `address` (tests)."""
    client = stripe_client(options, tools.settings)
    from facepay.psp.stripe import StripeProvider

    return StripeProvider(client, OrderBook(_database(tools).engine, "stripe", now_ms=_now_ms(tools)))


def stripe_client(options: Mapping[str, object], settings: Settings) -> Client:
    """The official client of the account in the settings; nothing is sent yet.

    Raises:
        PluginError: the client is not installed, or an option or the secret key is missing or wrong.
    """
    try:
        from facepay.psp.stripe import StripeAccount, open_client
    except ModuleNotFoundError as error:
        raise PluginError("the provider stripe needs its client: pip install 'facepay[stripe]'") from error
    unknown = options.keys() - {"timeout_s", "address"}
    if unknown:
        raise PluginError(f"the provider stripe knows no option {', '.join(sorted(unknown))}")
    if not settings.psp.secret:
        raise PluginError("the provider stripe needs psp.secret as env:NAME or file:PATH")
    account = StripeAccount(settings.psp.secret.read().decode())
    account = replace(
        account,
        timeout_s=float(str(options.get("timeout_s", account.timeout_s))),
        address=str(options.get("address", account.address)),
    )
    return open_client(account)


def _database(tools: Tools) -> Database:
    # `facepay.terminal.money` fills the parts; their types are the group's contract.
    return cast("Database", tools.parts["database"])


def _now_ms(tools: Tools) -> Callable[[], int]:
    return cast("Callable[[], int]", tools.parts["now_ms"])
