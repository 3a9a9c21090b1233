"""Does the time of a refusal tell how near a guess was? Welch's t-test between two classes of wrong input.

`python -m benchmarks.timing [SAMPLES]`, default 20,000 a class for the quick ones. After dudect (Reparaz,
Balasch, Verbauwhede, 2017): both classes in random order, the slowest measurements cropped at several
percentiles, the largest |t| told. Above 10 there is a leak; from 5 on look closer, with more samples.
A comparison that does leak runs beside the others: where it is not found, the machine is too noisy to tell.
"""

from __future__ import annotations

import gc
import random
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hmac import compare_digest

import numpy as np

from benchmarks.arguments import whole_numbers
from benchmarks.results import Row, tell
from keys import Context, MemoryKeyStore, Purpose
from keys.capsule import SHARE, Capsule, issue_capsule, open_capsule
from keys.cobblestone import OVERHEAD, SALT, seal_message, unseal_message
from keys.errors import KeysError
from keys.keyed import Bearer, seal_keyed, unseal_keyed
from keys.passphrase import FLOOR
from keys.pins import make_pin_record, require_pin
from keys.xaes import Xaes256Gcm, unwrap_key_into, wrap_key

LEAK, CLOSER = 10.0, 5.0
PERCENTILES = (50, 75, 90, 99, 100)
KEY = bytes(32)
Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Case:
    """Two ways of being wrong that must not be told apart; `share` of the samples is taken of a slow one."""

    what: str
    first: Work
    second: Work
    share: float = 1.0


def largest_t(case: Case, samples: int) -> float:
    """The largest |t| over the croppings."""
    works = (case.first, case.second)
    order = [turn % 2 for turn in range(2 * samples)]
    random.Random(samples).shuffle(order)
    spent = np.empty(len(order), np.int64)
    gc.collect()
    gc.disable()
    try:
        for place, number in enumerate(order):
            work = works[number]
            started = time.perf_counter_ns()
            work()
            spent[place] = time.perf_counter_ns() - started
    finally:
        gc.enable()
    of = np.array(order)
    limits = [np.percentile(spent, percentile) for percentile in PERCENTILES]
    return max(_welch(spent[(of == 0) & (spent <= m)], spent[(of == 1) & (spent <= m)]) for m in limits)


def _welch(one: np.ndarray, other: np.ndarray) -> float:
    if min(len(one), len(other)) < 2:
        return 0.0
    spread = one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other)
    return float(abs(one.mean() - other.mean()) / np.sqrt(spread)) if spread else 0.0


def flipped(raw: bytes, at: int) -> bytes:
    """One bit of one byte turned."""
    at %= len(raw)
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


def refused(work: Work) -> Work:
    """The work, whose refusal is what is timed."""

    def run() -> None:
        with suppress(KeysError):
            work()

    return run


def control() -> Case:
    """What leaks: equality of bytes stops at the first that differs."""
    right = bytes(4096)
    early, late = flipped(right, 0), flipped(right, 4095)
    return Case("control, which has to leak: == over 4 KiB", lambda: right == early, lambda: right == late)


def cases(store: MemoryKeyStore) -> Sequence[Case]:
    """Every comparison of a secret, wrong at its beginning and wrong at its end; refusals of other kinds."""
    message = seal_message(KEY, b"c", bytes(1024), bytes)
    cipher, out = Xaes256Gcm(KEY), bytearray(32)
    blob, tag = wrap_key(cipher, KEY, b"c", bytes), bytes(range(32))
    share, trusted = bytes(SHARE), {store.signing_key: store.verifying_key(store.signing_key)}
    content = Capsule(b"s" * 16, "fp1", 1 << 40, 1.0, bytes(512))
    capsule = issue_capsule(content, tenant="t", model="m", store=store, share=share)
    place, bearer = Context(Purpose.KEYED, "shop", "ab" * 16), Bearer("4938", b"p" * 16)
    kept = seal_keyed(bytes(1024), place, bearer, store, cost=FLOOR)
    record = make_pin_record("4938", "fp1", store, cost=FLOOR)

    def opens(raw: bytes) -> Work:
        return refused(lambda: unseal_message(KEY, b"c", raw))

    def unwraps(raw: bytes) -> Work:
        return refused(lambda: unwrap_key_into(cipher, raw, b"c", out))

    def capsules(given: bytes) -> Work:
        terms = {"tenant": "t", "model": "m", "store": store, "issuers": trusted, "now_s": 1}
        return refused(lambda: open_capsule(capsule, share=given, **terms))  # type: ignore[arg-type]

    def keyed(raw: bytes, given: Bearer) -> Work:
        return refused(lambda: unseal_keyed(raw, place, given, store, cost=FLOOR))

    def pins(pin: str, known: str | None) -> Work:
        return refused(lambda: require_pin(pin, "fp1", known, store, cost=FLOOR))

    early, late = flipped(tag, 0), flipped(tag, -1)
    return (
        Case("tag of an audit entry", lambda: compare_digest(tag, early), lambda: compare_digest(tag, late)),
        Case("commitment of a message", opens(flipped(message, SALT)), opens(flipped(message, OVERHEAD - 1))),
        Case("tag of a message", opens(flipped(message, -16)), opens(flipped(message, -1))),
        Case("tag of a wrapped key", unwraps(flipped(blob, -16)), unwraps(flipped(blob, -1))),
        Case("a capsule's share", capsules(flipped(share, 0)), capsules(flipped(share, -1)), 0.2),
        Case("PIN: first digit, last digit", pins("0938", record), pins("4930", record), 0.015),
        Case("PIN: wrong, or there is none", pins("0000", record), pins("0000", None), 0.015),
        Case(
            "keyed: wrong PIN, altered at the shop",
            keyed(kept, Bearer("0000", bearer.secret)),
            keyed(flipped(kept, 40), bearer),
            0.015,
        ),
    )


def main() -> int:
    """Measure and tell; 1 where something leaks, 2 where the machine cannot tell."""
    samples = (whole_numbers(sys.argv[1:], "[SAMPLES]", most=1) or [20_000])[0]
    with MemoryKeyStore() as store:
        sure = largest_t(control(), samples)
        rows: list[Row] = [_row(control().what, samples, sure, "found" if sure > LEAK else "NOT FOUND")]
        worst = 0.0
        for case in cases(store):
            count = max(100, round(samples * case.share))
            t = largest_t(case, count)
            worst = max(worst, t)
            rows.append(_row(case.what, count, t, "LEAKS" if t > LEAK else "look" if t > CLOSER else "held"))
    tell("timing", rows, [f"|t| above {LEAK:g} is a leak, from {CLOSER:g} on look closer"])
    return 1 if worst > LEAK else 0 if sure > LEAK else 2


def _row(what: str, samples: int, t: float, verdict: str) -> Row:
    return {"what": what, "a class": samples, "|t|": round(t, 1), "": verdict}


if __name__ == "__main__":
    sys.exit(main())
