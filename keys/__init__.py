"""keys: sealed formats, key stores, signed statements and the audit log."""
