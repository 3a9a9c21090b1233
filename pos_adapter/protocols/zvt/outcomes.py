"""Every outcome in ZVT's words (PA00P015 section 10, error messages).

`status` is the result of 04 0F, None where no 04 0F is sent; `abort` the code of 06 1E, None for
success; `refusal` the code of 84 xx when the outcome is known before the command was accepted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pos_adapter.types import AdjustmentOutcome, Outcome

HOST_DECLINED = 0x05
NOT_REGISTERED, ABORTED, WRONG_CURRENCY = 0x6B, 0x6C, 0x6F
NOT_POSSIBLE, PROTOCOL_ERROR, RECEIVER_NOT_READY, NO_CONNECTION = 0x83, 0x9A, 0xA0, 0xA3
ALREADY_REVERSED, REVERSAL_NOT_POSSIBLE = 0xB4, 0xB5
AMOUNT_TOO_BIG, METHOD_NOT_SUPPORTED, AMOUNT_TOO_SMALL, PRINTER_NOT_READY = 0xC3, 0xC5, 0xC8, 0xCC
READER_DEFECTIVE, SYSTEM_ERROR = 0xE2, 0xFF

STATUS_READY, STATUS_WAIT, STATUS_OUT_OF_ORDER = 0x00, 0x9C, 0xDF


@dataclass(frozen=True, slots=True)
class ZvtOutcome:
    """One row of the table."""

    status: int | None
    abort: int | None
    refusal: int = RECEIVER_NOT_READY


OUTCOMES: Mapping[Outcome, ZvtOutcome] = MappingProxyType(
    {
        Outcome.APPROVED: ZvtOutcome(0, None),
        Outcome.PARTIAL: ZvtOutcome(0, None),
        Outcome.NO_MATCH: ZvtOutcome(HOST_DECLINED, HOST_DECLINED),
        Outcome.ATTACK_SUSPECTED: ZvtOutcome(HOST_DECLINED, HOST_DECLINED),
        Outcome.DECLINED: ZvtOutcome(HOST_DECLINED, HOST_DECLINED),
        Outcome.SHOPPER_CHOSE_CARD: ZvtOutcome(ABORTED, ABORTED),
        Outcome.CASHIER_ABORT: ZvtOutcome(ABORTED, ABORTED),
        Outcome.TIMEOUT: ZvtOutcome(ABORTED, ABORTED),
        Outcome.DEVICE_DEAD: ZvtOutcome(None, READER_DEFECTIVE),
        Outcome.PROVIDER_UNREACHABLE: ZvtOutcome(NO_CONNECTION, NO_CONNECTION),
        # Reached only after the result was held as long as T4 allows; the host voids what it finds.
        Outcome.PROVIDER_UNKNOWN: ZvtOutcome(NO_CONNECTION, NO_CONNECTION),
        # 84 9C would be read as "yes" by some tills, so busy is "receiver not ready".
        Outcome.BUSY: ZvtOutcome(None, RECEIVER_NOT_READY),
        Outcome.BAD_REQUEST: ZvtOutcome(None, PROTOCOL_ERROR, PROTOCOL_ERROR),
        Outcome.FAILURE: ZvtOutcome(None, SYSTEM_ERROR),
    }
)

ADJUSTMENTS: Mapping[AdjustmentOutcome, ZvtOutcome] = MappingProxyType(
    {
        AdjustmentOutcome.DONE: ZvtOutcome(0, None),
        AdjustmentOutcome.NOT_FOUND: ZvtOutcome(None, REVERSAL_NOT_POSSIBLE),
        AdjustmentOutcome.ALREADY_REVERSED: ZvtOutcome(None, ALREADY_REVERSED),
        AdjustmentOutcome.NOT_POSSIBLE: ZvtOutcome(None, REVERSAL_NOT_POSSIBLE),
        AdjustmentOutcome.PROVIDER_UNREACHABLE: ZvtOutcome(None, NO_CONNECTION),
        AdjustmentOutcome.PROVIDER_UNKNOWN: ZvtOutcome(None, NO_CONNECTION),
    }
)
