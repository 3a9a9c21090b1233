"""Known answers through every stage, on the machine at hand and with the models in use.

What is computed here is compared with figures of specifications, or with what must hold whatever the
weights are. Nothing touches the terminal's database, keys or payers; the faces are those of the
photograph that the installed insightface package brings.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facepay.db.session import open_database
from facepay.errors import Fault
from facepay.journal import Journal, State
from facepay.journal.errors import IllegalTransition
from facepay.journal.rows import Opening
from facepay.policy import FactorRequirement, PolicyInputs, PolicyTerms, decide, default_rules
from facepay.psp.base import Answer, IdempotencyKey, Order, PayerToken
from facepay.psp.ledger import LedgerProvider, Wallet
from facepay.recognition.alignment import align
from facepay.recognition.base import FeatureRows
from facepay.recognition.engine import RecognitionEngine
from facepay.recognition.matcher import Matcher
from facepay.settings import Settings
from facepay.terminal.engines import build_engine, minifas_pair
from facepay.types import Detection, ModelId, Pixels, Probe, Reference, ReferenceId, SubjectId
from hardware.images import ImageLimits, load_image
from keys import Context, KeysError, MemoryKeyStore, Purpose, seal, unseal
from keys.errors import StatementRefused
from keys.signing import verify
from keys.xaes import Xaes256Gcm
from pos_adapter.protocols.concert.frames import lrc
from pos_adapter.protocols.zvt.serial_frame import crc
from pos_adapter.types import Money, TransactionId

PHOTO_FACES = 6
"""How many people the photograph shows; all of them look at the camera."""

FEWEST_FACES = 4
"""How many any sound pack finds of them, and how many of those it knows again: small networks miss some."""


@dataclass(frozen=True, slots=True)
class Known:
    """One stage's answer: which, whether it is the known one, and in how many milliseconds."""

    stage: str
    right: bool
    says: str
    milliseconds: float


class WrongAnswer(Fault):
    """A stage gave another answer than the known one."""


def run_selftest(settings: Settings) -> Iterator[Known]:
    """Run every stage in the order of a payment; a stage that fails does not stop the others."""
    yield _timed("cryptography", _cryptography)
    yield _timed("sealing", _sealing)
    yield _timed("wires", _wires)
    yield _timed("matcher", _matcher)
    yield _timed("policy", _policy)
    yield _timed("journal and ledger", _money)
    engine: list[RecognitionEngine] = []
    yield _timed("models", lambda: _load(settings, engine))
    if engine:
        faces = _Faces(engine[0])
        for stage, check in (
            ("detector", faces.detect),
            ("recogniser", faces.recognise),
            ("liveness", faces.judge),
        ):
            yield _timed(stage, check)


def _timed(stage: str, check: Callable[[], str]) -> Known:
    started = time.perf_counter()
    try:
        says, right = check(), True
    except Exception as error:  # A self-test reports whatever breaks; it is no reason to stop looking.
        says, right = f"{type(error).__name__}: {error}", False
    return Known(stage, right, says, (time.perf_counter() - started) * 1000)


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise WrongAnswer(what)


def _cryptography() -> str:
    # C2SP XAES-256-GCM, first known answer; RFC 8032 section 7.1, test 1.
    sealed = Xaes256Gcm(bytes([1]) * 32).encrypt(b"ABCDEFGHIJKLMNOPQRSTUVWX", b"XAES-256-GCM", b"")
    _require(sealed.hex() == "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271", "XAES-256-GCM")
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    signature = bytes.fromhex(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b"
    )
    verify(public, signature, b"")
    try:
        verify(public, signature, b"x")
    except StatementRefused:
        return "XAES-256-GCM and Ed25519 agree with their specifications"
    raise WrongAnswer("Ed25519 accepted a signature over other bytes")


def _sealing() -> str:
    context = Context(Purpose.REFERENCE, "selftest", subject="a")
    with MemoryKeyStore() as store:
        sealed = seal(b"a template", context, store)
        _require(bytes(unseal(sealed, context, store)) == b"a template", "what was sealed came back changed")
        for wrong, where in (
            (sealed[:-1] + bytes([sealed[-1] ^ 1]), context),
            (sealed, Context(Purpose.REFERENCE, "selftest", subject="b")),
        ):
            try:
                unseal(wrong, where, store)
            except KeysError:
                continue
            raise WrongAnswer("an altered or moved record was opened")
    return "a record opens in its place, not altered and not elsewhere"


def _wires() -> str:
    # CRC-16/KERMIT check value; exclusive or of the Concert capture in the wire's documentation.
    _require(crc(b"123456789") == 0x2189, "the checksum of ZVT")
    request = b"01" + b"00001250" + b"1" + b"1" + b"0" + b"978" + b" " * 10 + b"A010" + b"B010"
    _require(lrc(request) == 0x01, "the checksum of Concert")
    return "checksums of ZVT and Concert"


def _matcher() -> str:
    rows = np.eye(3, 8, dtype=np.float32)
    matcher = Matcher(ModelId("selftest"), 8)
    matcher.add(
        [
            Reference(ReferenceId(str(n)), SubjectId(name), row, ModelId("selftest"))
            for n, (name, row) in enumerate(zip("abc", rows, strict=True))
        ]
    )
    towards_b = np.array([0.6, 0.8, 0, 0, 0, 0, 0, 0], np.float32)
    found = matcher.search(Probe(towards_b, ModelId("selftest")), 2)
    _require([c.subject for c in found] == ["b", "a"], "the order of candidates")
    _require(abs(found[0].score - 0.8) < 1e-6, "the comparison score")
    return "three known vectors"


def _policy() -> str:
    rules = default_rules(PolicyTerms("EUR"))
    first = PolicyInputs(Money(500, "EUR"), liveness_level=1, margin=0.5, look_alike=False)
    _require(decide(first, rules).required >= FactorRequirement.PIN, "a first payment needs the PIN")
    _require(decide(first, ()).required is FactorRequirement.REFUSE, "no rules must refuse")
    return "the first payment asks for the PIN; an empty policy refuses"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _money() -> str:
    amount, payer = Money(1240, "EUR"), PayerToken("selftest")
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{Path(folder) / 'selftest.db'}")
        try:
            journal = Journal(database.engine, chain="selftest", now_ms=_now_ms)
            payment = TransactionId("selftest")
            journal.begin(Opening(payment, "selftest", "0" * 64, amount))
            try:
                journal.advance(payment, State.CAPTURED)
            except IllegalTransition:
                pass
            else:
                raise WrongAnswer("the journal let a new payment be captured")
            wallet = Wallet(database.engine, now_ms=_now_ms)
            wallet.open_account(payer, "EUR")
            wallet.top_up(payer, Money(2000, "EUR"), IdempotencyKey("selftest-top-up"))
            ledger = LedgerProvider(database.engine, now_ms=_now_ms)
            order = Order(IdempotencyKey("selftest-pay-01"), payer, amount, "Corner shop", "T1", "selftest")
            for _ in range(2):
                _require(ledger.authorise(order).answer is Answer.APPROVED, "the ledger declined")
            ledger.capture(order, amount)
            _require(wallet.balance(payer) == Money(760, "EUR"), "charged once")
            wallet.require_books_balance()
        finally:
            database.close()
    return "an illegal step is refused; asked twice, charged once; the books balance"


def _load(settings: Settings, engine: list[RecognitionEngine]) -> str:
    engine.append(build_engine(settings))
    return f"pack {engine[0].spec.name}, {engine[0].dimensions} dimensions"


class _Faces:
    """The stages that need models, on one photograph of several people."""

    def __init__(self, engine: RecognitionEngine) -> None:
        self._engine = engine
        photo = resources.files("insightface") / "data" / "images" / "t1.jpg"
        with resources.as_file(photo) as path:
            self._pixels: Pixels = load_image(path, ImageLimits())
        self._found: tuple[Detection, ...] = ()

    def detect(self) -> str:
        """People are found, and nobody in the dark."""
        self._found = self._engine.detector.detect(self._pixels)
        count = len(self._found)
        _require(FEWEST_FACES <= count <= PHOTO_FACES, f"{count} faces instead of {PHOTO_FACES}")
        _require(not self._engine.detector.detect(np.zeros((480, 640, 3), np.uint8)), "a face in the dark")
        return f"{count} of {PHOTO_FACES} faces in the photograph, none in the dark"

    def recognise(self) -> str:
        """People pass for themselves in the mirror, and nobody for somebody else."""
        mirrored = np.ascontiguousarray(self._pixels[:, ::-1])
        again = self._engine.detector.detect(mirrored)
        threshold = self._engine.require_calibration().threshold_for(len(self._found), 1e-3).score
        passed = self._features(self._pixels, self._found) @ self._features(mirrored, again).T >= threshold
        same = _same_place(self._found, again, self._pixels.shape[1])
        _require(not (passed & ~same).any(), "somebody was taken for another")
        known, both = int((passed & same).sum()), int(same.sum())
        _require(known >= FEWEST_FACES, f"{known} of {both} recognised in the mirror")
        return f"{known} of {both} people recognised in the mirror, nobody taken for another"

    def judge(self) -> str:
        """The passive networks answer probabilities, the same ones for the same picture."""
        pair = minifas_pair(self._engine)
        face = max(self._found, key=lambda found: found.height)
        first = pair.score(self._pixels, face.box, face.points)
        second = pair.score(self._pixels, face.box, face.points)
        _require(first is not None and 0 <= first <= 1, "no probability")
        _require(first == second, "two answers to one picture")
        return "the passive networks answer, and answer the same twice"

    def _features(self, pixels: Pixels, found: tuple[Detection, ...]) -> FeatureRows:
        return self._engine.extract([align(pixels, one.points) for one in found])


def _same_place(
    found: Sequence[Detection], mirrored: Sequence[Detection], width: int
) -> npt.NDArray[np.bool_]:
    """`bool[N, M]`: which faces of a picture `width` pixels wide are which of its mirror image."""
    one = np.array([face.points.mean(axis=0) for face in found])
    other = np.array([face.points.mean(axis=0) for face in mirrored]) * (-1, 1) + (width, 0)
    apart = np.linalg.norm(one[:, None] - other[None], axis=2)
    return np.asarray(apart < [[face.height / 2] for face in found], np.bool_)
