"""The enrolled payers: sealed on disk, searchable in memory, and kept in step.

Plain references exist only in the matcher's memory. What the database holds can be opened only with
the key store, and erasing a payer destroys the data keys before anything else.
"""

from facepay.gallery.base import Matcher
from facepay.gallery.digits import DigitsIndex
from facepay.gallery.gallery import Gallery
from facepay.gallery.held import Claim, HeldTemplates, HeldTerms, forget
from facepay.gallery.originals import SealedOriginals
from facepay.gallery.records import (
    Consent,
    Deposit,
    EnrolledSubject,
    Erased,
    NewSubject,
    new_account,
    new_id,
)

__all__ = [
    "Claim",
    "Consent",
    "Deposit",
    "DigitsIndex",
    "EnrolledSubject",
    "Erased",
    "Gallery",
    "HeldTemplates",
    "HeldTerms",
    "Matcher",
    "NewSubject",
    "SealedOriginals",
    "forget",
    "new_account",
    "new_id",
]
