"""Opens the official client, and sorts its exceptions by one question: may money have moved?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import stripe

from facepay.psp.base import KeyReused, PspMisconfigured, PspUncertain, PspUnreachable

Result = TypeVar("Result")
Client = stripe.StripeClient

NEVER_SENT = frozenset({"NewConnectionError", "ConnectTimeoutError", "NameResolutionError", "ConnectTimeout"})
"""Causes in the HTTP library that mean that no byte of the request left this machine."""


@dataclass(frozen=True, slots=True)
class StripeAccount:
    """How to reach an account; `address` only differs from Stripe's own in tests."""

    secret_key: str = field(repr=False)
    address: str = stripe.DEFAULT_API_BASE
    timeout_s: float = 10.0


def open_client(account: StripeAccount) -> stripe.StripeClient:
    """The client. It repeats nothing by itself: what to repeat and when is the settlement's to say."""
    return stripe.StripeClient(
        account.secret_key,
        base_addresses={"api": account.address},
        http_client=stripe.RequestsClient(timeout=account.timeout_s),
        max_network_retries=0,
    )


def ask(call: Callable[[], Result]) -> Result:
    """Make one call; `stripe.CardError` and `stripe.InvalidRequestError` pass, the rest become ours.

    Raises:
        PspUnreachable: The request was certainly not carried out.
        PspUncertain: It may have been.
        PspMisconfigured: The account's key is refused.
        KeyReused: The idempotency key was used with other parameters.
    """
    try:
        return call()
    except stripe.IdempotencyError as error:
        raise KeyReused("Stripe knows the key from another request") from error
    except (stripe.CardError, stripe.InvalidRequestError):
        raise
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        raise PspMisconfigured("Stripe refuses the secret key: check psp.secret") from error
    except stripe.RateLimitError as error:
        raise PspUnreachable("Stripe has too many requests from this account") from error
    except stripe.APIConnectionError as error:
        if _never_sent(error):
            raise PspUnreachable("Stripe cannot be reached") from error
        raise PspUncertain("the connection to Stripe broke off") from error
    except stripe.StripeError as error:
        raise PspUncertain(f"Stripe answered {error.http_status}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PspUncertain("Stripe's answer cannot be read") from error


def _never_sent(error: BaseException) -> bool:
    seen: list[object] = [error]
    for one in seen:
        if type(one).__name__ in NEVER_SENT:
            return True
        if isinstance(one, BaseException) and len(seen) < 20:
            seen.extend(x for x in (one.__cause__, getattr(one, "reason", None), *one.args) if x is not None)
    return False
