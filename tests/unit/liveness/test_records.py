"""Challenge, chain, transcript, calibration and score files."""

from __future__ import annotations

import hashlib
import hmac
import io
import math
from dataclasses import replace
from typing import Any

import pytest

from liveness.calibration import load_calibration
from liveness.chain import FrameChain, frame_digest
from liveness.challenge import MemoryNonceRegister, derive, hkdf_sha256
from liveness.engine import LivenessEngine, LivenessModels
from liveness.errors import CalibrationInvalid, ChallengeReused, ModelMismatch, TranscriptRefused
from liveness.policy import LivenessPolicy
from liveness.scores import COLUMNS, Evidence, Trial, frozen_threshold, require_disjoint, write_scores
from liveness.simulation.drawn import SteadyExpert
from liveness.transcript import SignedTranscript, require_transcript, sign_transcript
from liveness.types import CueName, CueResult, Status, Tier

KEY = b"k" * 32


class MacKey:
    """Signs and verifies with a shared secret, enough to show who is asked."""

    def sign(self, data: bytes) -> bytes:
        return hmac.digest(KEY, data, hashlib.sha256)

    def verify(self, data: bytes, signature: bytes) -> None:
        if not hmac.compare_digest(self.sign(data), signature):
            raise ValueError("no")


def test_hkdf_agrees_with_rfc_5869_case_1() -> None:
    okm = hkdf_sha256(
        bytes.fromhex("0b" * 22), salt=bytes(range(13)), info=bytes(range(0xF0, 0xFA)), length=42
    )
    assert okm.hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )


def test_same_sale_same_challenge_and_any_change_another(scene: Any) -> None:
    sale = scene.sale()
    first = derive(KEY, sale, codes=750)
    assert derive(KEY, sale, codes=750) == first
    others = [
        replace(sale, amount_minor=501),
        replace(sale, terminal="till-2"),
        replace(sale, attempt=2),
        replace(sale, nonce=bytes(16)),
    ]
    assert all(derive(KEY, other, codes=750).exposure != first.exposure for other in others)


def test_sides_and_codes_are_spread(scene: Any) -> None:
    made = [derive(KEY, scene.sale(number), codes=750) for number in range(1, 200)]
    left = sum(one.turn.value == "turn_left" for one in made)
    assert 60 < left < 140
    assert len({one.code for one in made}) > 150
    assert all(0 <= one.onset_jitter_ms <= 300 for one in made)


def test_register_forgets_only_with_time() -> None:
    register = MemoryNonceRegister(keep_ns=10)
    register.spend(b"a", now_ns=0)
    with pytest.raises(ChallengeReused):
        register.spend(b"a", now_ns=1)
    register.spend(b"b", now_ns=20)
    register.spend(b"a", now_ns=21)


def test_chain_commits_to_every_frame_and_its_place(scene: Any) -> None:
    frames = scene.stream(3)

    def head(order: list[int], nonce: bytes = b"n") -> bytes:
        chain = FrameChain(nonce)
        for i in order:
            chain.add(frames[i], frame_digest(frames[i].pixels))
        return chain.head

    heads = {head([0, 1, 2]), head([1, 0, 2]), head([0, 1]), head([0, 1, 2], b"m")}
    assert len(heads) == 4


def signed(scene: Any) -> tuple[SignedTranscript, Any]:
    tried = scene.session()
    scene.feed(tried, scene.stream(30))
    tried.conclude()
    return sign_transcript(tried.record(1_000), MacKey()), scene.sale()


def test_transcript_is_accepted_once(scene: Any) -> None:
    transcript, sale = signed(scene)
    register = MemoryNonceRegister()
    plain = require_transcript(transcript, sale, MacKey(), register, now_ns=2_000)
    assert plain["level"] == 0
    assert plain["frames"] == 30 or isinstance(plain["frames"], int)
    with pytest.raises(TranscriptRefused, match="used before"):
        require_transcript(transcript, sale, MacKey(), register, now_ns=2_000)


@pytest.mark.parametrize("now_ns", [999, 11_000_000_000])
def test_old_or_future_transcript_is_refused(scene: Any, now_ns: int) -> None:
    transcript, sale = signed(scene)
    with pytest.raises(TranscriptRefused, match="old"):
        require_transcript(transcript, sale, MacKey(), MemoryNonceRegister(), now_ns=now_ns)


def test_edited_amount_or_byte_is_refused(scene: Any) -> None:
    transcript, sale = signed(scene)
    with pytest.raises(TranscriptRefused, match="another sale"):
        require_transcript(
            transcript, replace(sale, amount_minor=1), MacKey(), MemoryNonceRegister(), now_ns=2_000
        )
    edited = replace(transcript, data=transcript.data.replace(b'"level":0', b'"level":2'))
    with pytest.raises(TranscriptRefused, match="not signed"):
        require_transcript(edited, sale, MacKey(), MemoryNonceRegister(), now_ns=2_000)


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b"{" * 5000, b"x" * 70_000])
def test_nonsense_is_refused_not_raised(scene: Any, data: bytes) -> None:
    made = SignedTranscript(data, MacKey().sign(data))
    with pytest.raises(TranscriptRefused):
        require_transcript(made, scene.sale(), MacKey(), MemoryNonceRegister(), now_ns=0)


def test_no_curve_claims_more_than_its_sample() -> None:
    for curve in load_calibration().curves:
        assert curve.cap <= (math.log(curve.attacks / 3) if curve.attacks > 3 else 0) + 1e-9
        assert not curve.simulated or curve.cap <= 1
        for score in (0.0, 0.5, 1.0):
            assert abs(curve.llr(score)) <= curve.cap


def test_worst_species_counts() -> None:
    text = (
        b'version = 1\ndate = "x"\n'
        b'[[curve]]\ncue="passive"\nspecies="print"\nevidence="real"\nattacks=300\nbona_fide=300\nslope=8\noffset=0\n'
        b'[[curve]]\ncue="passive"\nspecies="replay"\nevidence="real"\nattacks=300\nbona_fide=300\nslope=1\noffset=0\n'
    )
    weighed = load_calibration(text).weigh(CueResult(CueName.PASSIVE, Status.OK, score=0.5))
    assert weighed.llr == pytest.approx(0.5)


def test_pulse_never_counts_against_anybody() -> None:
    calibration = load_calibration()
    for score in (0.0, 0.3, 1.0):
        assert calibration.weigh(CueResult(CueName.PULSE, Status.ABSTAIN, score=score)).llr >= 0


@pytest.mark.parametrize(
    "text", [b"", b"version = 2", b"\xff", b"version = 1\n[[curve]]\ncue='x'", b"version = 1\ncurve = 3"]
)
def test_unreadable_calibration_is_a_named_error(text: bytes) -> None:
    with pytest.raises(CalibrationInvalid):
        load_calibration(text)


def test_other_calibration_or_network_is_a_mismatch() -> None:
    with pytest.raises(ModelMismatch):
        load_calibration(expected_digest="00" * 32)
    pinned = load_calibration(b'version = 1\n[models]\nnarrow = "aa"\n')
    with pytest.raises(ModelMismatch, match="narrow"):
        LivenessEngine(
            LivenessModels(None, (SteadyExpert(),), {"narrow": "bb"}),
            LivenessPolicy(),
            secret=KEY,
            calibration=pinned,
        )


def test_score_file_has_the_fields_columns_and_keeps_non_responses(scene: Any) -> None:
    tried = scene.session(Tier.ZERO, None)
    scene.feed(tried, scene.stream(20))
    trial = Trial("s1", "t1", "s1", "print", Evidence.SIMULATED, "cam")
    out = io.StringIO()
    write_scores(out, [(trial, tried.conclude(), 12.0)])
    rows = [line.split(",") for line in out.getvalue().splitlines()]
    assert tuple(rows[0]) == COLUMNS
    passive = next(row for row in rows if row[6] == "passive")
    assert passive[2:5] == ["False", "print", ""]
    assert passive[7] == "abstain"


def test_split_that_shares_a_subject_is_refused() -> None:
    one = Trial("s1", "a", "s1", "", Evidence.REAL, "c1")
    with pytest.raises(CalibrationInvalid, match="subject"):
        require_disjoint([one], [replace(one, device="c2")])
    with pytest.raises(CalibrationInvalid, match="20"):
        frozen_threshold([0.1], reject_share=0.05)
    assert frozen_threshold([i / 100 for i in range(100)], reject_share=0.05) == 0.05
