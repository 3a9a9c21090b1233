"""Builds every object of a terminal from its settings; nothing else does.

Everyone else receives what they need. A terminal is a context manager: leaving it closes what it
opened, in the opposite order.
"""

from facepay.terminal.build import Terminal, open_terminal

__all__ = ["Terminal", "open_terminal"]
