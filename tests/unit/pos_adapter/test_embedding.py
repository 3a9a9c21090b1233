"""The program in docs/integrators/embedding.md runs as it stands there, without the rest of the house."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from pos_adapter.simulator.desks import Action, DeskOptions, Order, open_desk
from pos_adapter.types import Money

PAGE = Path(__file__).parents[3] / "docs" / "integrators" / "embedding.md"
ALONE = """
import sys

class Barred:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"facepay", "keys", "liveness", "hardware"}:
            raise ImportError(f"{name} is not here")

sys.meta_path.insert(0, Barred())
"""


def test_an_integrators_program_takes_a_payment_alone() -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    command = [sys.executable, "-c", ALONE + program, "0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        port = running.stdout.readline().split()[-1]
        told = open_desk("zvt", DeskOptions(f"127.0.0.1:{port}")).act(Order(Action.PAY, Money(1240, "EUR")))
        assert told.done, told.text
        assert running.stdout.readline() == "captured 12.40 EUR\n"
        running.communicate("", timeout=20)
    assert running.returncode == 0
