"""What the audit log speaks of."""

from __future__ import annotations

from enum import Enum


class AuditEvent(Enum):
    """Kind of an entry; the value is what stands in the log and never changes its meaning."""

    ENROLLED = "enrolled"
    UNSEALED = "unsealed"
    IDENTIFIED = "identified"
    ERASED = "erased"
    ROTATED = "rotated"
    RENEWAL_BEGUN = "renewal-begun"
    RENEWED = "renewed"
    KEY_DESTROYED = "key-destroyed"
    SLOT_ADDED = "slot-added"
    SLOT_REMOVED = "slot-removed"
    ROOT_EXPORTED = "root-exported"
    THRESHOLD_CHANGED = "threshold-changed"
    EXTRACTED = "extracted"
    BACKED_UP = "backed-up"
