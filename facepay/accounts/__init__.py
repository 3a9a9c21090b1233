"""The payers' accounts: their limits, their PINs, what they have spent, and lock-outs."""

from facepay.accounts.accounts import AccountLimits, Accounts, MerchantLimits
from facepay.accounts.lockouts import Guarded, LockedOut, Lockouts, LockoutTerms, Scope

__all__ = [
    "AccountLimits",
    "Accounts",
    "Guarded",
    "LockedOut",
    "LockoutTerms",
    "Lockouts",
    "MerchantLimits",
    "Scope",
]
