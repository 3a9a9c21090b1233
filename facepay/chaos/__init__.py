"""A test tool that ships: breaks everything that can break around a payment, and counts the cents.

It runs on databases of its own in a folder of its own and never touches a real terminal's books.
"""

from facepay.chaos.run import ChaosPlan, run_chaos
from facepay.chaos.verdict import Verdict

__all__ = ["ChaosPlan", "Verdict", "run_chaos"]
