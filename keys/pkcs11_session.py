"""Opens a session of a PKCS#11 token, and says in plain words why it does not open."""

from __future__ import annotations

import pkcs11
from pkcs11.exceptions import (
    MultipleTokensReturned,
    NoSuchToken,
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PinLocked,
    PKCS11Error,
    TokenNotPresent,
    UserAlreadyLoggedIn,
)

from keys.errors import ProviderError, UnlockError
from keys.types import KeyId

_WRONG_PIN = (PinIncorrect, PinInvalid, PinLenRange, PinLocked)


def label_of(key: KeyId) -> str:
    """What a key and its counter are called on the token."""
    return f"facepay:{key}"


def open_session(module: str, token: str, pin: str) -> pkcs11.Session:
    """Log in to a token.

    Raises:
        UnlockError: no such token, several of that name, or a PIN that it refuses.
        ProviderError: the library or the token failed.
    """
    try:
        found = pkcs11.lib(module).get_token(token_label=token)
        try:
            return found.open(rw=True, user_pin=pin)
        except UserAlreadyLoggedIn:
            # Login belongs to the process and the token, not to the session.
            return found.open(rw=True)
    except _WRONG_PIN:
        raise UnlockError(f"token {token!r} refuses this PIN") from None
    except (NoSuchToken, TokenNotPresent):
        raise UnlockError(f"there is no token {token!r} in {module}") from None
    except MultipleTokensReturned:
        raise UnlockError(f"several tokens are named {token!r}; give each its own label") from None
    except (PKCS11Error, RuntimeError, OSError) as error:
        raise ProviderError(f"cannot open token {token!r} in {module}: {error}") from error
