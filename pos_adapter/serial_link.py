"""Serial links over pyserial: one open port, and a server that opens it again when the line comes back.

Knows no protocol. This is the only file that imports pyserial.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

import serial

from pos_adapter.base import Link
from pos_adapter.errors import LinkClosed, LinkTimeout, LinkUnavailable

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SerialOptions:
    """A port (`/dev/ttyUSB0`, `COM3`) and its settings; parity is one of N, E, O."""

    port: str
    baud: int = 9600
    data_bits: int = 8
    parity: str = "N"
    stop_bits: int = 1
    write_timeout_s: float = 5.0
    reopen_after_s: float = 1.0
    reopen_at_most_s: float = 15.0


class SerialLink:
    """One open serial port.

    Raises:
        LinkUnavailable: the port is absent, in use, or may not be opened; the text says what to check.
    """

    def __init__(self, options: SerialOptions) -> None:
        self._options = options
        try:
            self._port = serial.Serial(
                port=options.port,
                baudrate=options.baud,
                bytesize=options.data_bits,
                parity=options.parity,
                stopbits=options.stop_bits,
                timeout=0.1,
                write_timeout=options.write_timeout_s,
                exclusive=True,
            )
        except (serial.SerialException, OSError, ValueError) as error:
            text = f"cannot open serial port {options.port}: {error}; check cable and dialout group"
            raise LinkUnavailable(text) from error

    @property
    def peer(self) -> str:
        """The port's name."""
        return self._options.port

    def read(self, timeout_s: float) -> bytes:
        """Some bytes, `b""` when none came in time; raises LinkClosed when the line is gone."""
        try:
            self._port.timeout = max(timeout_s, 0.0)
            first = self._port.read(1)
            return bytes(first + self._port.read(self._port.in_waiting)) if first else b""
        except (serial.SerialException, OSError, TypeError, ValueError) as error:
            raise LinkClosed(f"serial line {self.peer} is gone") from error

    def write(self, data: bytes) -> None:
        """Send all bytes; raises LinkTimeout or LinkClosed."""
        try:
            self._port.write(data)
            self._port.flush()
        except serial.SerialTimeoutException as error:
            raise LinkTimeout(f"serial line {self.peer} does not take our bytes") from error
        except (serial.SerialException, OSError, TypeError, ValueError) as error:
            raise LinkClosed(f"serial line {self.peer} is gone") from error

    def close(self) -> None:
        """Close the port; safe to call twice and from any thread."""
        try:
            self._port.cancel_read()
            self._port.close()
        except (serial.SerialException, OSError, TypeError, ValueError, AttributeError):
            _log.debug("closing %s: already gone", self.peer)


class SerialServer:
    """Keeps one serial port served: opens it, gives it to `serve`, opens it again when the line is gone.

    A port that cannot be opened at the start is an error; one that goes later is waited for.
    """

    def __init__(
        self,
        serve: Callable[[Link], None],
        options: SerialOptions,
        *,
        on_line: Callable[[bool], None] | None = None,
    ) -> None:
        self._serve = serve
        self._options = options
        self._on_line = on_line
        self._stopped = threading.Event()
        self._link: SerialLink | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> SerialServer:
        self._link = SerialLink(self._options)
        name = f"serial-{self._options.port}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        link = self._link
        if link is not None:
            link.close()
        if self._thread is not None:
            self._thread.join(5)

    def _run(self) -> None:
        while not self._stopped.is_set():
            link = self._link or self._reopen()
            if link is None:
                return
            self._tell(line=True)
            try:
                self._serve(link)
            except LinkClosed as error:
                _log.warning("%s; waiting for it to come back", error)
            except Exception:
                _log.exception("serving %s failed", self._options.port)
            finally:
                link.close()
                self._link = None
            if not self._stopped.is_set():
                self._tell(line=False)

    def _tell(self, *, line: bool) -> None:
        if self._on_line is not None:
            self._on_line(line)

    def _reopen(self) -> SerialLink | None:
        pause = self._options.reopen_after_s
        while not self._stopped.wait(pause):
            try:
                self._link = SerialLink(self._options)
            except LinkUnavailable:
                pause = min(pause * 2, self._options.reopen_at_most_s)
            else:
                return self._link
        return None
