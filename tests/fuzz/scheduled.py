"""Every fuzzing target for a while: `python tests/fuzz/scheduled.py [SECONDS]`, 60 each unless given.

The wires' targets start from their committed corpora, which stay as they are: what is found on the way goes
to a temporary folder. A line a target is printed; the exit status is 1 when one of them failed. What made it
fail is kept in the folder named there, for the corpus and a vector.
"""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from keys import MemoryKeyStore

HERE = Path(__file__).parent
_STATISTICS = re.compile(r"^Done (\d+) runs in (\d+) second", re.MULTILINE)
_COVERED = re.compile(r"cov: (\d+)")


@dataclass(frozen=True, slots=True)
class Job:
    """One target: the folder that is run, and the target's name there."""

    program: Path
    name: str

    @property
    def text(self) -> str:
        """The target as the report names it."""
        return self.name if self.program == HERE else f"{self.program.name}: {self.name}"


def jobs() -> list[Job]:
    """All targets, the wires' first."""
    wires = _targets_in(HERE).TARGETS
    keys = _targets_in(HERE / "keys").make_targets(MemoryKeyStore())
    return [*(Job(HERE, name) for name in wires), *(Job(HERE / "keys", name) for name in keys)]


def _targets_in(folder: Path) -> Any:  # A module of this folder's own.
    """`targets.py` of a folder; both have that name, and neither is a package."""
    return SimpleNamespace(**runpy.run_path(str(folder / "targets.py")))


def fuzz(job: Job, seconds: int, findings: Path) -> bool:
    """Run one target and tell its figures; whether it held."""
    kept = findings / job.text.replace(": ", "-")
    grown = kept / "corpus"
    grown.mkdir(parents=True)
    command = [sys.executable, str(job.program), job.name, f"-max_total_time={seconds}"]
    # What libFuzzer writes goes to the first folder that is named: never into the committed corpus.
    command += ["-print_final_stats=1", f"-artifact_prefix={kept}/", str(grown)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    runs = _STATISTICS.search(done.stderr)
    covered = _COVERED.findall(done.stderr)
    figures = f"{runs[1] if runs else '?':>10} runs  {covered[-1] if covered else '?':>5} edges"
    print(f"{job.text:<24}{figures}  {'held' if done.returncode == 0 else 'FAILED'}", flush=True)
    if done.returncode:
        print(done.stderr[-3000:], f"what failed it is under {kept}", sep="\n", flush=True)
    return done.returncode == 0


def main() -> int:
    """Run all of them one after another."""
    # To libFuzzer zero would mean for ever.
    seconds = max(int(sys.argv[1]), 1) if len(sys.argv) > 1 else 60
    findings = Path(tempfile.mkdtemp(prefix="facepay-fuzz-"))
    held = [fuzz(job, seconds, findings) for job in jobs()]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
