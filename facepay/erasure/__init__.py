"""Provable erasure: a payer's data keys are destroyed, and a signed receipt says what, when and where.

`disuse` finds who has not paid for as long as they agreed to.
"""

from facepay.erasure.erase import Erasure
from facepay.erasure.verify import Finding, Verifier

__all__ = ["Erasure", "Finding", "Verifier"]
