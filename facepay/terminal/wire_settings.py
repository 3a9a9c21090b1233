"""`[pos.options.nexo]` and `[pos.options.zvt]`: what a shop writes, turned into the wires' own options."""

from __future__ import annotations

from dataclasses import dataclass, field

from facepay.errors import SettingsError
from facepay.settings import SecretReference, Settings
from pos_adapter.errors import NotAllowed
from pos_adapter.protocols.nexo.local_encryption import KeyName
from pos_adapter.protocols.nexo.options import Instrument, NexoOptions
from pos_adapter.protocols.zvt.options import ZvtOptions
from pos_adapter.protocols.zvt.receipt import WORDS

_NO_SECRET = SecretReference()


@dataclass(frozen=True, slots=True)
class NexoSection:
    """Where nexo listens and how tills are trusted.

    `passphrases` are `IDENTIFIER:VERSION=env:NAME` or `...=file:PATH`; keep the old version beside the new
    one until every till has changed.
    """

    host: str = ""
    port: int = 0
    certificate: str = ""
    private_key: str = ""
    poi_id: str = ""
    passphrases: tuple[str, ...] = ()
    clear_allowed: bool = False
    api_key: SecretReference = field(default=_NO_SECRET)
    brand: str = ""
    instrument: Instrument = Instrument.CARD
    receipt_header: tuple[str, ...] = ()
    notify_url: str = ""


@dataclass(frozen=True, slots=True)
class ZvtSection:
    """Where ZVT listens and what it prints; `terminal_id` has up to eight digits, `language` is de or en."""

    host: str = ""
    port: int = 0
    serial_port: str = ""
    serial_baud: int = 0
    terminal_id: int = 1
    name: str = "FACEPAY"
    receipt_header: tuple[str, ...] = ()
    language: str = "de"


def nexo_options(section: NexoSection, settings: Settings) -> NexoOptions:
    """The wire's options.

    Raises:
        SettingsError: a passphrase is not written as it should be, or nothing protects the messages.
    """
    names = settings.terminal
    try:
        return NexoOptions(
            poi_id=section.poi_id,
            passphrases=dict(_passphrase(text) for text in section.passphrases),
            clear_allowed=section.clear_allowed,
            api_key=section.api_key.read().decode("utf-8") if section.api_key else "",
            merchant=names.payee,
            currency=names.currency,
            brand=section.brand,
            instrument=section.instrument,
            receipt_header=section.receipt_header,
            notify_url=section.notify_url,
        )
    except NotAllowed as error:
        example = 'passphrases = ["till-key:1=env:NEXO_PASSPHRASE"], or clear_allowed = true'
        raise SettingsError(f"pos.options.nexo: {error}: {example}") from error


def zvt_options(section: ZvtSection, settings: Settings) -> ZvtOptions:
    """The wire's options; raises SettingsError."""
    if not 0 < section.terminal_id < 10**8:
        raise SettingsError("pos.options.zvt.terminal_id is a number of one to eight digits")
    if section.language not in WORDS:
        raise SettingsError(f"pos.options.zvt.language is one of {', '.join(WORDS)}")
    return ZvtOptions(
        terminal_id=section.terminal_id,
        currency=settings.terminal.currency,
        name=section.name,
        header=section.receipt_header,
        language=section.language,
    )


def _passphrase(text: str) -> tuple[KeyName, str]:
    name, _, reference = text.partition("=")
    identifier, _, version = name.rpartition(":")
    if not identifier or not (version.isascii() and version.isdigit()) or not reference:
        raise SettingsError("a nexo passphrase is written IDENTIFIER:VERSION=env:NAME or =file:PATH")
    secret = SecretReference(reference).read()
    if not secret.isascii():
        raise SettingsError(f"the nexo passphrase {name} holds characters that are not ASCII")
    return KeyName(identifier, int(version)), secret.decode("ascii")
