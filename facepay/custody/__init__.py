"""Deeds over keys that need two persons: destroying one, exporting the root, changing a threshold."""

from facepay.custody.approvers import read_approvers
from facepay.custody.custody import Custody
from facepay.custody.thresholds import Thresholds, require_approved

__all__ = ["Custody", "Thresholds", "read_approvers", "require_approved"]
