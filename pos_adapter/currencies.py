"""Active currencies of ISO 4217 (List One, 2024 edition): alphabetic code, numeric code, exponent.

The exponent is the number of decimals of the minor unit. Units without one (gold, bond units,
the testing code) are left out: nobody buys bread with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from pos_adapter.errors import UnknownCurrency


class Currency(NamedTuple):
    """One row of ISO 4217: `alpha3`, three-digit `numeric`, `exponent` 0..4."""

    alpha3: str
    numeric: str
    exponent: int


_EXPONENT_0 = """BIF108 CLP152 DJF262 GNF324 ISK352 JPY392 KMF174 KRW410 PYG600 RWF646 UGX800 UYI940
VND704 VUV548 XAF950 XOF952 XPF953"""
_EXPONENT_2 = """AED784 AFN971 ALL008 AMD051 ANG532 AOA973 ARS032 AUD036 AWG533 AZN944 BAM977 BBD052
BDT050 BGN975 BMD060 BND096 BOB068 BOV984 BRL986 BSD044 BTN064 BWP072 BYN933 BZD084 CAD124 CDF976 CHE947
CHF756 CHW948 CNY156 COP170 COU970 CRC188 CUP192 CVE132 CZK203 DKK208 DOP214 DZD012 EGP818 ERN232 ETB230
EUR978 FJD242 FKP238 GBP826 GEL981 GHS936 GIP292 GMD270 GTQ320 GYD328 HKD344 HNL340 HTG332 HUF348 IDR360
ILS376 INR356 IRR364 JMD388 KES404 KGS417 KHR116 KPW408 KYD136 KZT398 LAK418 LBP422 LKR144 LRD430 LSL426
MAD504 MDL498 MGA969 MKD807 MMK104 MNT496 MOP446 MRU929 MUR480 MVR462 MWK454 MXN484 MXV979 MYR458 MZN943
NAD516 NGN566 NIO558 NOK578 NPR524 NZD554 PAB590 PEN604 PGK598 PHP608 PKR586 PLN985 QAR634 RON946 RSD941
RUB643 SAR682 SBD090 SCR690 SDG938 SEK752 SGD702 SHP654 SLE925 SOS706 SRD968 SSP728 STN930 SVC222 SYP760
SZL748 THB764 TJS972 TMT934 TOP776 TRY949 TTD780 TWD901 TZS834 UAH980 USD840 USN997 UYU858 UZS860 VED926
VES928 WST882 XCD951 YER886 ZAR710 ZMW967 ZWG924"""
_EXPONENT_3 = "BHD048 IQD368 JOD400 KWD414 LYD434 OMR512 TND788"
_EXPONENT_4 = "CLF990 UYW927"


def _rows() -> dict[str, Currency]:
    table = ((0, _EXPONENT_0), (2, _EXPONENT_2), (3, _EXPONENT_3), (4, _EXPONENT_4))
    return {item[:3]: Currency(item[:3], item[3:], digits) for digits, text in table for item in text.split()}


CURRENCIES: Mapping[str, Currency] = MappingProxyType(_rows())
"""Every active currency by alphabetic code."""

BY_NUMERIC: Mapping[str, Currency] = MappingProxyType({row.numeric: row for row in CURRENCIES.values()})
"""The same rows by numeric code."""


def currency_of(code: str) -> Currency:
    """Row of a currency by alphabetic or three-digit numeric code; raises UnknownCurrency."""
    row = CURRENCIES.get(code) or BY_NUMERIC.get(code)
    if row is None:
        raise UnknownCurrency(f"no active ISO 4217 currency {code[:8]!r}")
    return row
