"""The audit log: who enrolled, unsealed, erased, rotated and changed what; it grows and can prove it."""

from facepay.audit.events import AuditEvent
from facepay.audit.log import AuditLog, Extract, Inclusion

__all__ = ["AuditEvent", "AuditLog", "Extract", "Inclusion"]
