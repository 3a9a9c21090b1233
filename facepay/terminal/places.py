"""Where a terminal keeps what it writes, and the key store that is made on the first run of the demo."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from urllib.parse import parse_qs

from facepay.db.session import open_database
from facepay.db.wrapping import find_key
from facepay.errors import SettingsError
from facepay.settings import SecretReference, Settings
from keys import KeysError, KeyStore, create_file_keystore, create_keystore, open_keystore
from keys.errors import FormatError
from keys.passphrase import Argon2Cost
from keys.stretching import measure_cost, parse_cost

KEYS_FILE = "keys.fpk"
SECRET_FILE = "keys.secret"  # noqa: S105 - a file's name, not a secret


def database_url(settings: Settings) -> str:
    """The database of the settings, or SQLite in the data folder."""
    return settings.database.url or f"sqlite:///{settings.data.absolute() / 'facepay.db'}"


def make_data_folder(settings: Settings) -> Path:
    """The data folder, made private to its owner."""
    try:
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError(
            f"the data folder {settings.data} cannot be made ({error.strerror}): set data, or FACEPAY_DATA"
        ) from error
    return settings.data.absolute()


def open_keys(settings: Settings) -> KeyStore:
    """Open the key store of the settings; the demo's own is made where there is none.

    Raises:
        SettingsError: the secret cannot be read.
        KeysError: the store cannot be opened.
    """
    folder = make_data_folder(settings)
    if settings.keys.uri:
        return open_keystore(settings.keys.uri, settings.keys.secret.read)
    path, secret = folder / KEYS_FILE, settings.keys.secret or SecretReference(f"file:{folder / SECRET_FILE}")
    if not path.exists():
        require_unsealed(settings, path)
        _make_own_keys(settings, path, folder / SECRET_FILE)
    return open_keystore(f"file:{path}", secret.read)


def keys_uri(settings: Settings) -> str:
    """The key store's URI: that of the settings, or the one in the data folder."""
    return settings.keys.uri or f"file:{settings.data.absolute() / KEYS_FILE}"


def create_keys(settings: Settings) -> bool:
    """Make the key store where there is none; False when it was there.

    Raises:
        SettingsError, KeysError: as `open_keys`.
    """
    folder = make_data_folder(settings)
    place = Path(keys_uri(settings).partition("?")[0].partition(":")[2])
    ring = parse_qs(settings.keys.uri.partition("?")[2])
    rings = [Path(value) for name in ("ring", "x-ring") for value in ring.get(name, [])]
    if any(path.exists() for path in rings or [place]):
        return False
    if settings.keys.uri:
        cost = passphrase_cost(settings) if settings.keys.uri.startswith("file:") else None
        create_keystore(settings.keys.uri, settings.keys.secret.read, cost=cost).close()
    else:
        _make_own_keys(settings, folder / KEYS_FILE, folder / SECRET_FILE)
    return True


def require_unsealed(settings: Settings, path: Path) -> None:
    """A database that was sealed under keys that are gone gets no others in their place unasked.

    Raises:
        KeysError: there is such a database, and no key store at `path`.
    """
    url = database_url(settings)
    if url.startswith("sqlite") and not Path(url.removeprefix("sqlite:///")).exists():
        return
    database = open_database(url)
    try:
        with database.read() as session:
            known = find_key(session)
    finally:
        database.close()
    if known is not None:
        raise KeysError(
            f"{path} is gone and the database is sealed under its keys ({known}): restore the key store from "
            "its backup. If there is none, `facepay keys generate` makes another, and every payer enrols anew"
        )


def passphrase_cost(settings: Settings) -> Argon2Cost:
    """What a new passphrase's slot shall cost: as the settings say, or as measured on this machine.

    Raises:
        SettingsError: keys.argon2 is no cost, or one beyond the bounds.
    """
    if not settings.keys.argon2:
        return measure_cost()
    try:
        return parse_cost(settings.keys.argon2)
    except FormatError as error:
        raise SettingsError(f"keys.argon2: {error}") from error


def _make_own_keys(settings: Settings, path: Path, secret_path: Path) -> None:
    if settings.keys.secret:
        create_file_keystore(path, settings.keys.secret.read(), cost=passphrase_cost(settings)).close()
        return
    try:
        handle = os.open(secret_path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError as error:
        raise KeysError(
            f"{path} is gone but {secret_path} is still here: restore the key store from its backup, "
            "or remove the whole data folder to start anew"
        ) from error
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_urlsafe(32).encode())
    # The secret is 256 random bits, which nobody guesses at whatever it costs: nothing to be measured.
    create_file_keystore(path, secret_path.read_bytes()).close()
