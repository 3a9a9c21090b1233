"""Card fallback on nexo: the till's own bytes go to the card terminal's address, its answer comes back.

Hidden messages stay hidden: the card terminal must know the passphrase that the till uses.
"""

from __future__ import annotations

import http.client
import logging
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from pos_adapter.errors import NotAllowed, UpstreamUnreachable
from pos_adapter.upstream import ForwardJournal, ForwardState

_log = logging.getLogger(__name__)
_LONGEST_ANSWER = 1024 * 1024


@dataclass(frozen=True, slots=True)
class CardTerminal:
    """The card terminal's address, such as `https://192.168.1.20:8443/nexo`; seconds it may take.

    `tls` holds the certificate authority it is checked against.
    """

    url: str
    tls: ssl.SSLContext | None = None
    timeout_s: float = 150.0
    journal: ForwardJournal | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NotAllowed(f"the card terminal's address {self.url!r} is no http(s) address")

    def ask(self, message: bytes, key: str) -> bytes:
        """The card terminal's answer to a message, both unchanged.

        Raises:
            UpstreamUnreachable: it cannot be reached, does not answer in time, or answers with an error.
        """
        self._tell(key, ForwardState.STARTED, self.url)
        try:
            answer = self._post(message)
        except (OSError, http.client.HTTPException) as error:
            self._tell(key, ForwardState.FAILED, str(error))
            raise UpstreamUnreachable(f"the card terminal does not answer: {error}") from error
        except UpstreamUnreachable as error:
            self._tell(key, ForwardState.FAILED, str(error))
            raise
        self._tell(key, ForwardState.ANSWERED, f"{len(answer)} bytes")
        return answer

    def _post(self, message: bytes) -> bytes:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        connection = (
            http.client.HTTPSConnection(host, parts.port, timeout=self.timeout_s, context=self.tls)
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, parts.port, timeout=self.timeout_s)
        )
        try:
            connection.request("POST", parts.path or "/", message, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            body = answer.read(_LONGEST_ANSWER + 1)
        finally:
            connection.close()
        if answer.status != http.client.OK or len(body) > _LONGEST_ANSWER:
            raise UpstreamUnreachable(f"the card terminal answers with status {answer.status}")
        return body

    def _tell(self, key: str, state: ForwardState, detail: str) -> None:
        _log.info("forward of %s: %s (%s)", key, state.value, detail)
        if self.journal is None:
            return
        try:
            self.journal.forwarded(key, state, detail)
        except Exception:
            _log.exception("the journal did not take a forward of %s", key)
