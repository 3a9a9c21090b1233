"""Templates in the shopper's own hands (1:1): issued at enrolment, opened for one payment, kept nowhere.

A capsule is the template itself, sealed and signed, in the shopper's code; the shop keeps a share without
which it opens nowhere. A keyed template stays at the shop, sealed under the shopper's PIN and the secret in
their code. Either way the shop alone opens nothing, and erasing the payer's row ends the code.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import numpy as np

from facepay.db.models.subjects import ReferenceRow
from facepay.db.session import Database
from facepay.errors import CodeRefused, ReferenceUnreadable
from facepay.gallery import rows
from facepay.gallery.records import Deposit, EnrolledSubject, new_id
from facepay.gallery.sealing import unseal_deposit
from facepay.types import Features, ModelId, Reference, ReferenceId, SubjectId, TemplateMode
from keys.base import KeyStore
from keys.capsule import SHARE, Capsule, capsule_number, issue_capsule, open_capsule
from keys.errors import FormatError, KeysError
from keys.holder_code import SECRET, HolderKey, decode_code, decode_holder_key, encode_code, is_holder_key
from keys.hygiene import wipe
from keys.keyed import Bearer, seal_keyed, unseal_keyed
from keys.types import Context, KeyId, KeyUse, Purpose

log = logging.getLogger(__name__)
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class HeldTerms:
    """Which modes the merchant offers, and how long a capsule is good for."""

    modes: Collection[TemplateMode]
    capsule_days: int = 365


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose template a code says it is; nothing is opened or believed yet."""

    subject: EnrolledSubject
    row: ReferenceRow = field(repr=False)
    raw: bytes = field(repr=False)

    @property
    def needs_pin(self) -> bool:
        """Whether the PIN is part of what opens the template."""
        return self.subject.mode is TemplateMode.KEYED


class HeldTemplates:
    """Issues, finds and opens the templates that a tenant's payers hold."""

    def __init__(
        self,
        database: Database,
        keys: KeyStore,
        tenant: str,
        terms: HeldTerms,
        *,
        now_s: Callable[[], float] = time.time,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._database = database
        self._keys = keys
        self._tenant = tenant
        self._terms = terms
        self._now_s = now_s
        self._random = random

    @property
    def modes(self) -> Collection[TemplateMode]:
        """Which modes the merchant offers."""
        return self._terms.modes

    def issue(
        self, payer: EnrolledSubject, features: Features, model: ModelId, pin: str
    ) -> tuple[Deposit, str]:
        """What the shop stores, and the code that goes to the shopper and is kept nowhere here."""
        if payer.mode is TemplateMode.CAPSULE:
            return self._issue_capsule(payer, features, model)
        return self._issue_keyed(payer, features, model, pin)

    def _issue_capsule(
        self, payer: EnrolledSubject, features: Features, model: ModelId
    ) -> tuple[Deposit, str]:
        scale, whole = _quantised(features)
        share = self._random(SHARE)
        until_s = int(self._now_s()) + self._terms.capsule_days * DAY_S
        capsule = Capsule(bytes.fromhex(payer.subject), payer.account, until_s, scale, whole)
        raw = issue_capsule(capsule, tenant=self._tenant, model=model, store=self._keys, share=share)
        reference = ReferenceId(capsule_number(raw).hex())
        return Deposit(reference, payer.mode, model, len(features), share), encode_code(raw)

    def _issue_keyed(
        self, payer: EnrolledSubject, features: Features, model: ModelId, pin: str
    ) -> tuple[Deposit, str]:
        reference, secret = ReferenceId(new_id()), self._random(SECRET)
        plain = bytearray(features.astype("<f2").tobytes())
        try:
            kept = seal_keyed(
                plain, self._keyed_place(payer.subject, reference, model), Bearer(pin, secret), self._keys
            )
        finally:
            wipe(plain)
        code = HolderKey(bytes.fromhex(reference), secret)
        return Deposit(reference, payer.mode, model, len(features), kept), encode_code(code.encode())

    def find(self, text: str) -> Claim:
        """Whose code this is.

        Raises:
            CodeRefused: it is no code of ours, its payer is gone, or the merchant does not offer its mode.
        """
        try:
            raw = decode_code(text)
            number = decode_holder_key(raw).reference if is_holder_key(raw) else capsule_number(raw)
        except FormatError as error:
            raise CodeRefused(str(error)) from error
        mode = TemplateMode.KEYED if is_holder_key(raw) else TemplateMode.CAPSULE
        with self._database.read() as session:
            row = rows.find_deposit(session, self._tenant, number.hex())
            found = rows.select_subjects(session, self._tenant, subject=row.subject) if row else []
        if row is None or not found or not row.mode == found[0].mode == mode.value:
            raise CodeRefused("the code's payer is not known here, or has withdrawn")
        if mode not in self._terms.modes:
            raise CodeRefused(f"a {mode.value} code was shown and templates.modes does not offer that")
        return Claim(rows.enrolled_of(found[0]), row, raw)

    def open(self, claim: Claim, pin: str, model: ModelId) -> Reference:
        """The plain reference, for one comparison; the caller calls `forget` when it is done.

        Raises:
            CodeRefused: it does not open: wrong PIN, another's code, past its time, another recogniser.
        """
        row = claim.row
        try:
            kept = unseal_deposit(row, self._keys)
        except ReferenceUnreadable as error:
            raise CodeRefused(str(error)) from error
        try:
            features = self._features(claim, kept, pin, model)
        except KeysError as error:
            log.warning("the code of payer %s is refused: %s", row.subject, error)
            raise CodeRefused("the shopper's code does not open") from error
        finally:
            wipe(kept)
        return Reference(ReferenceId(row.reference), SubjectId(row.subject), features, model)

    def _features(self, claim: Claim, kept: bytearray, pin: str, model: ModelId) -> Features:
        subject, row = claim.subject, claim.row
        if subject.mode is TemplateMode.KEYED:
            bearer = Bearer(pin, decode_holder_key(claim.raw).secret)
            place = self._keyed_place(subject.subject, ReferenceId(row.reference), model)
            plain = unseal_keyed(kept, place, bearer, self._keys)
            try:
                return _unit(np.frombuffer(plain, "<f2").astype(np.float32))
            finally:
                wipe(plain)
        opened = open_capsule(
            claim.raw,
            tenant=self._tenant,
            model=model,
            store=self._keys,
            share=kept,
            issuers=self._issuers(),
            now_s=int(self._now_s()),
        )
        if (opened.subject.hex(), opened.account) != (subject.subject, subject.account):
            raise FormatError("the capsule names another payer than its row")
        return _unit(np.frombuffer(opened.features, np.int8).astype(np.float32))

    def _issuers(self) -> dict[KeyId, bytes]:
        signing = (record.key for record in self._keys.records() if record.use is KeyUse.SIGN)
        return {key: self._keys.verifying_key(key) for key in signing}

    def _keyed_place(self, subject: SubjectId, reference: ReferenceId, model: ModelId) -> Context:
        return Context(Purpose.KEYED, self._tenant, subject, reference, model)


def forget(reference: Reference) -> None:
    """Overwrite the features of a reference that was opened for one comparison."""
    reference.features[:] = 0


def _quantised(features: Features) -> tuple[float, bytes]:
    scale = float(np.abs(features).max())
    return scale, np.rint(features / (scale / 127)).astype(np.int8).tobytes()


def _unit(features: Features) -> Features:
    length = float(np.linalg.norm(features))
    if not (np.isfinite(length) and length > 0):
        raise FormatError("the template has no direction")
    features /= length
    return features
