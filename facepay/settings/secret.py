"""Secrets by reference: the settings name where a secret is, never the secret itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from facepay.errors import SettingsError


@dataclass(frozen=True, slots=True)
class SecretReference:
    """Where a secret is kept: `env:NAME` or `file:PATH`; an empty reference means none is set."""

    reference: str = ""

    def __post_init__(self) -> None:
        scheme, _, rest = self.reference.partition(":")
        if self.reference and (scheme not in {"env", "file"} or not rest):
            # The text is not echoed: a secret pasted by mistake must not reach a log.
            raise SettingsError("a secret is written as env:NAME or file:PATH, never as its value")

    def __bool__(self) -> bool:
        return bool(self.reference)

    def read(self, environ: Mapping[str, str] = os.environ) -> bytes:
        """Return the secret's bytes, without the newline that ends a file.

        Raises:
            SettingsError: the variable is unset or the file cannot be read; the operator sets it.
        """
        scheme, _, rest = self.reference.partition(":")
        if scheme == "env":
            if not environ.get(rest):
                raise SettingsError(f"the secret {self.reference} is empty: set the variable {rest}")
            return environ[rest].encode()
        try:
            secret = Path(rest).expanduser().read_bytes().rstrip(b"\r\n")
        except OSError as error:
            raise SettingsError(f"the secret {self.reference} cannot be read: {error.strerror}") from error
        if not secret:
            raise SettingsError(f"the secret {self.reference} is empty: write it into that file")
        return secret
