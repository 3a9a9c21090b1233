"""Looks for keys in a process's memory from outside, through /proc/PID/mem."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from keys.hygiene import harden_process

CHILD = """
import sys
from pathlib import Path
from keys import Context, Purpose, seal, unseal
from keys.hygiene import wipe
from keys.keystore_file import create_file_keystore, open_file_keystore
from keys.passphrase import FLOOR
from keys.types import KeyUse

# Key material goes out only through the pipe's descriptor, masked, so that this process never holds
# the searched pattern anywhere but where the key store put it.
def tell(*parts):
    for part in parts:
        masked = bytearray(b ^ 0x5A for b in part)
        sys.stdout.write(masked.hex() + "\\n")
        wipe(masked)
    sys.stdout.flush()

path = Path(sys.argv[1])
create_file_keystore(path, "correct horse battery", cost=FLOOR).close()
store = open_file_keystore(path, lambda: "correct horse battery")
context = Context(Purpose.REFERENCE, "shop", subject="s")
sealed = seal(b"x" * 1024, context, store)
for _ in range(20):
    wipe(unseal(sealed, context, store))
store.sign(b"statement")
tell(store._root, *(key.material for key in store._ring._keys.values()))
sys.stdin.readline()
store.close()
tell(b"closed")
sys.stdin.readline()
"""


def scan(pid: int, needles: list[bytes]) -> int:
    """How often any needle stands in the readable, private memory of a process."""
    found = 0
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            span, permissions, *_ = line.split()
            if not permissions.startswith("rw") or "[v" in line:
                continue
            start, end = (int(edge, 16) for edge in span.split("-"))
            try:
                memory.seek(start)
                region = memory.read(end - start)
            except OSError:
                continue
            found += sum(region.count(needle) for needle in needles)
    return found


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="needs the memory files of Linux")
def test_no_key_is_left_in_memory_after_close(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path / "keys.fpk")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        lines = [child.stdout.readline().strip() for _ in range(4)]
        secrets = [bytes(b ^ 0x5A for b in bytes.fromhex(line)) for line in lines]
        assert [len(secret) for secret in secrets] == [32] * 4
        # The scanner must find them while the store is open, or finding none later proves nothing.
        assert scan(child.pid, secrets) >= 4
        child.stdin.write("\n")
        child.stdin.flush()
        child.stdout.readline()
        assert scan(child.pid, secrets) == 0
        # Not even half a key, where a part of a buffer had been reused.
        assert scan(child.pid, [half for s in secrets for half in (s[:16], s[16:])]) == 0
    finally:
        child.stdin.close()
        child.wait(10)
        child.stdout.close()


def test_a_hardened_process_cannot_be_dumped() -> None:
    code = (
        "from keys.hygiene import harden_process as h; import resource, ctypes;"
        "assert h() == ();"
        "assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0);"
        "assert ctypes.CDLL(None).prctl(3) == 0"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert callable(harden_process)
