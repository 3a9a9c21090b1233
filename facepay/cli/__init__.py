"""The command line. Each command is one module with `add_arguments` and `run`.

Exit codes: 0 done, 1 a fault that an operator has to mend, 2 wrong usage, names or settings, 3 a decline
(the system works and says no), 4 a check did not hold, 130 interrupted.
"""

from facepay.cli.main import main

__all__ = ["main"]
