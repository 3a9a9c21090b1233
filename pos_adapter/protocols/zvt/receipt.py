"""The lines of a receipt, for a till that prints what the terminal sends (06 D1 or 06 D3)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pos_adapter.errors import NotRepresentable
from pos_adapter.protocols.zvt.answers import StatusInformation
from pos_adapter.protocols.zvt.options import ZvtOptions
from pos_adapter.types import Money, Totals

WIDTH = 24

WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "de": {
            "payment": "Zahlung",
            "reversal": "Storno",
            "refund": "Gutschrift",
            "copy": "Kopie",
            "close": "Kassenschnitt",
            "totals": "Zwischensumme",
            "terminal": "Terminal",
            "receipt": "Beleg",
            "approval": "Genehmigung",
            "paid": "Bezahlt",
            "refunded": "Erstattet",
            "done": "Erfolgt",
        },
        "en": {
            "payment": "Payment",
            "reversal": "Reversal",
            "refund": "Refund",
            "copy": "Copy",
            "close": "End of day",
            "totals": "Totals",
            "terminal": "Terminal",
            "receipt": "Receipt",
            "approval": "Approval",
            "paid": "Paid",
            "refunded": "Refunded",
            "done": "Done",
        },
    }
)


def words(options: ZvtOptions) -> Mapping[str, str]:
    """The receipt's words; raises NotRepresentable for a language without them."""
    try:
        return WORDS[options.language]
    except KeyError:
        known = ", ".join(WORDS)
        raise NotRepresentable(f"no receipt words for {options.language!r}; choose one of {known}") from None


def payment_lines(
    options: ZvtOptions, title: str, status: StatusInformation, amount: Money
) -> tuple[str, ...]:
    """A payment, reversal, refund or copy; `title` is a key of `WORDS`."""
    say = words(options)
    lines = [*options.header, options.name, say[title]]
    if status.at is not None:
        lines.append(status.at.strftime("%d.%m.%Y %H:%M"))
    lines.append(_row(say["terminal"], f"{options.terminal_id:08d}"))
    if status.receipt is not None:
        lines.append(_row(say["receipt"], f"{status.receipt:04d}"))
    if status.approval_code:
        lines.append(_row(say["approval"], status.approval_code))
    return (*lines, _row(amount.currency, f"{amount.major:f}"), say["done"])


def totals_lines(options: ZvtOptions, title: str, totals: Totals) -> tuple[str, ...]:
    """End of day or turnover so far."""
    say = words(options)
    lines = [*options.header, options.name, say[title], totals.until.strftime("%d.%m.%Y %H:%M")]
    for row in totals.currencies:
        lines.append(_row(f"{say['paid']} {row.payments}", f"{row.paid.major:f} {row.paid.currency}"))
        lines.append(_row(f"{say['refunded']} {row.refunds}", f"{row.refunded.major:f} {row.paid.currency}"))
    return (*lines, say["done"])


def _row(left: str, right: str) -> str:
    return f"{left} {right.rjust(WIDTH - len(left) - 1)}"
