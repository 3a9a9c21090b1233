"""The payers' accounts: their limits, their PINs, what they have spent, and lock-outs."""

from facepay.accounts.accounts import AccountLimits, Accounts, Choices, MerchantLimits
from facepay.accounts.lockouts import Guarded, LockedOut, Lockouts, LockoutTerms, Scope

__all__ = [
    "AccountLimits",
    "Accounts",
    "Choices",
    "Guarded",
    "LockedOut",
    "LockoutTerms",
    "Lockouts",
    "MerchantLimits",
    "Scope",
]
