"""What a shop sets for hw_proxy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HwProxyOptions:
    """`origins` are the Odoo addresses whose pages may call, such as `https://shop.example.com`.

    `unasked_s` is how long a payment may go on, or an approval wait, without its browser asking.
    """

    origins: frozenset[str] = frozenset()
    terminal: str = "facepay"
    currencies: frozenset[str] = frozenset({"EUR"})
    unasked_s: float = 15.0
    shown_s: float = 300.0
    max_body: int = 16 * 1024
