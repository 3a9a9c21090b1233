"""What is known about an enrolled payer: pseudonyms, consent, where the samples came from."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from facepay.types import ModelId, Reference, ReferenceId, SubjectId, TemplateMode


@dataclass(frozen=True, slots=True)
class Consent:
    """The text a payer agreed to: its version, language and digest, and when, in Unix milliseconds."""

    version: str
    language: str
    text_sha256: str
    given_at_ms: int
    purpose: str = "pay"


@dataclass(frozen=True, slots=True)
class EnrolledSubject:
    """One payer as the database knows them; `account` is what the payment provider charges.

    `origin` is device, browser or replay; `camera_class` the kind of camera that enrolled them.
    """

    subject: SubjectId
    account: str
    enrolled_at_ms: int
    origin: str
    camera_class: str
    liveness_level: int
    look_alike: bool = False
    mode: TemplateMode = TemplateMode.GALLERY

    @property
    def masked_account(self) -> str:
        """What a screen may show of the account."""
        return f"...{self.account[-2:]}"


@dataclass(frozen=True, slots=True)
class Deposit:
    """What the shop keeps of a template in the shopper's hands: of a keyed one its ciphertext, of a capsule
    the share without which it opens nowhere. Neither is a template.
    """

    reference: ReferenceId
    mode: TemplateMode
    model: ModelId
    dimensions: int
    kept: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewSubject:
    """Everything an enrolment stores in one transaction. `digits` narrow a search; empty for none.

    Either there are `references` for the gallery, or there is a `deposit`.
    """

    enrolled: EnrolledSubject
    references: tuple[Reference, ...]
    consent: Consent
    digits: str = ""
    deposit: Deposit | None = None


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure destroyed.

    `digests` are SHA-256 of the wrapped data keys that were overwritten, `wrapping_keys` the keys that
    wrapped them, `audit_position` the entry that says so, None where no log is kept.
    """

    references: int
    digests: tuple[str, ...]
    wrapping_keys: tuple[str, ...]
    audit_position: int | None = None


def new_id() -> str:
    """A random pseudonym: 32 lowercase hex digits."""
    return secrets.token_hex(16)


def new_account() -> str:
    """A random account: `fp` and 10 digits, so that it can never be taken for a card number."""
    return f"fp{secrets.randbelow(10**10):010}"
