from __future__ import annotations

from importlib.metadata import version

import pytest

from facepay.cli.main import main


def test_it_says_which_release_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"facepay {version('facepay')}\n"
