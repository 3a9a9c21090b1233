"""`training/` is no part of the distribution: its folder is found from here, after all installed packages."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[3]))
