"""The one family of errors of this leaf.

Failures to open sealed data have one text and no detail, so that nobody outside learns which check
failed. Failures an operator can mend (a wrong passphrase, a missing key, a file of a newer version)
are classes of their own and name what was wrong. No text ever carries key material.
"""


class KeysError(Exception):
    """Base of everything this package raises on purpose."""


class SealBroken(KeysError):
    """Sealed data does not open: altered, moved, replayed or sealed under another key."""

    def __init__(self) -> None:
        super().__init__("sealed data does not open here")


class FormatError(KeysError):
    """Bytes are not of the format they should be: truncated, of a newer version, or not ours."""


class KeyUnavailable(KeysError):
    """The named key is not in this key store, or its state forbids the use; the operator restores it."""


class KeyStateError(KeysError):
    """A step of a key's life cycle is not allowed from its present state; the caller chooses another."""


class UnlockError(KeysError):
    """The key store's secret is wrong or missing, or no slot can be used on this machine."""


class LimitReached(KeysError):
    """A key has been used as often as its algorithm allows; the operator rotates."""


class ProviderError(KeysError):
    """A key service or token failed for a reason of its own; `retryable` says whether waiting may help."""

    def __init__(self, text: str, *, retryable: bool = False) -> None:
        super().__init__(text)
        self.retryable = retryable


class StatementRefused(KeysError):
    """A signed statement, checkpoint or approval does not hold; the text names the first reason."""


class ProofRefused(KeysError):
    """A Merkle inclusion or consistency proof does not lead to the signed root."""
