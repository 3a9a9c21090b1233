"""Fetches one file over HTTP: resumed where it broke off, never longer than announced, checked by digest.

What is incomplete keeps its `.part` name; only a file whose sha256 is the pinned one takes its place,
in one step. Used by `facepay models install` alone: nothing downloads at import or in a payment.
"""

from __future__ import annotations

import http.client
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from facepay.errors import Fault
from facepay.recognition.pack_store import digest_of

_CHUNK = 1 << 16
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_GONE = frozenset({401, 403, 404, 410})
_RANGE_REFUSED = 416


class DownloadFailed(Fault):
    """A file could not be fetched or is not the pinned one; the text says what to do."""


class Progress(Protocol):
    """Shows how far a long piece of work is."""

    def start(self, name: str, total: int, done: int) -> None:
        """Begin a piece of `total` bytes of which `done` are there already."""

    def advance(self, count: int) -> None:
        """Report `count` more bytes."""

    def finish(self) -> None:
        """End the piece."""


class Silence:
    """Progress for nobody."""

    def start(self, name: str, total: int, done: int) -> None:
        """Say nothing."""

    def advance(self, count: int) -> None:
        """Say nothing."""

    def finish(self) -> None:
        """Say nothing."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A file to fetch: `bytes` 0 where the size is not known, then `largest` bounds it."""

    url: str
    sha256: str
    bytes: int
    largest: int = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Patience:
    """How stubborn a download is: attempts, seconds without a byte, and the wait between attempts."""

    attempts: int = 5
    timeout_s: float = 30.0
    wait_s: float = 1.0
    sleep: Callable[[float], None] = time.sleep


def fetch(remote: Remote, target: Path, progress: Progress, patience: Patience) -> None:
    """Fetch a file to `target`, resuming what an earlier call left.

    Raises:
        DownloadFailed: it cannot be reached, or its digest is another one.
    """
    _require_safe(remote.url)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    resumed = _fetch_part(remote, part, progress, patience)
    if digest_of(part) != remote.sha256 and resumed:
        # What lay there may have been the start of another file; one more try from nothing decides.
        part.unlink()
        _fetch_part(remote, part, progress, patience)
    found = digest_of(part)
    if found != remote.sha256:
        part.unlink()
        raise DownloadFailed(
            f"{remote.url} gave another file than the pinned one (sha256 {found[:12]}..., expected "
            f"{remote.sha256[:12]}...); nothing was installed"
        )
    put_in_place(part, target)


def put_in_place(part: Path, target: Path) -> None:
    """Give a complete file its name in one step, after its bytes are on the disk."""
    with part.open("rb+") as stream:
        os.fsync(stream.fileno())
    part.replace(target)


def _fetch_part(remote: Remote, part: Path, progress: Progress, patience: Patience) -> bool:
    resumed = part.exists() and part.stat().st_size > 0
    for attempt in range(1, patience.attempts + 1):
        have = part.stat().st_size if part.exists() else 0
        if remote.bytes and have == remote.bytes:
            return resumed
        try:
            _stream(remote, part, have, progress, patience.timeout_s)
        except urllib.error.HTTPError as error:
            if error.code == _RANGE_REFUSED:
                part.unlink(missing_ok=True)
            if error.code in _GONE or attempt == patience.attempts:
                raise DownloadFailed(f"{remote.url} answered {error.code} {error.reason}") from error
        except (OSError, http.client.HTTPException) as error:
            if attempt == patience.attempts:
                raise DownloadFailed(f"{remote.url} cannot be fetched: {error}") from error
        else:
            if not remote.bytes or part.stat().st_size == remote.bytes:
                return resumed
            if attempt == patience.attempts:
                raise DownloadFailed(
                    f"{remote.url} broke off at {part.stat().st_size} of {remote.bytes} bytes; "
                    "run the same command again to go on from there"
                )
        patience.sleep(patience.wait_s * attempt)
    return resumed


def _stream(remote: Remote, part: Path, have: int, progress: Progress, timeout_s: float) -> None:
    headers = {"User-Agent": "facepay", **({"Range": f"bytes={have}-"} if have else {})}
    request = urllib.request.Request(remote.url, headers=headers)  # noqa: S310 - scheme checked above
    with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310
        resuming = have > 0 and answer.status == http.HTTPStatus.PARTIAL_CONTENT
        limit = remote.bytes or remote.largest
        written = have if resuming else 0
        progress.start(part.name.removeprefix(".").removesuffix(".part"), remote.bytes, written)
        try:
            with part.open("ab" if resuming else "wb") as stream:
                while chunk := answer.read(_CHUNK):
                    written += len(chunk)
                    if written > limit:
                        stream.close()
                        part.unlink()
                        raise DownloadFailed(f"{remote.url} gives more than the {limit} bytes announced")
                    stream.write(chunk)
                    progress.advance(len(chunk))
        finally:
            progress.finish()


def _require_safe(url: str) -> None:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return
    raise DownloadFailed(f"{url}: weights are fetched by https only")
