"""Where a terminal keeps what it writes, and the key store that is made on the first run of the demo."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from facepay.errors import SettingsError
from facepay.settings import SecretReference, Settings
from keys import KeysError, KeyStore, create_file_keystore, open_keystore

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
        _make_demo_keys(path, folder / SECRET_FILE, settings.keys.secret)
    return open_keystore(f"file:{path}", secret.read)


def _make_demo_keys(path: Path, secret_path: Path, given: SecretReference) -> None:
    if given:
        create_file_keystore(path, given.read()).close()
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
    create_file_keystore(path, secret_path.read_bytes()).close()
