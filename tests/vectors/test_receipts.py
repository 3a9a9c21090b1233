"""Statements of known validity: our verifier and the one in the documentation say the same."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from facepay.receipts import verify_authorised
from facepay.receipts.qr import read_text
from facepay.receipts.trust import read_key_set
from keys.errors import FormatError, StatementRefused

ROOT = Path(__file__).resolve().parents[2]
VECTORS = json.loads((ROOT / "tests/vectors/receipts/statements.json").read_text("utf-8"))
TRUSTED = read_key_set(json.dumps({"keys": VECTORS["keys"]}))
CASES = [pytest.param(case, id=case["name"]) for case in VECTORS["cases"]]


@pytest.mark.parametrize("case", CASES)
def test_a_statement_is_as_valid_as_its_vector_says(case: dict[str, str]) -> None:
    token = read_text(case["statement"])
    if case["valid"]:
        assert verify_authorised(token, TRUSTED).amount == 1240
    else:
        with pytest.raises(StatementRefused):
            verify_authorised(token, TRUSTED)


@pytest.mark.node
def test_the_verifier_in_the_documentation_agrees_on_every_vector(tmp_path: Path) -> None:
    page = (ROOT / "docs/receipts.md").read_text("utf-8")
    code = re.search(r"```js\n(.*?)```", page, re.DOTALL)
    assert code is not None
    assert len(code[1].splitlines()) <= 40
    (tmp_path / "verify.mjs").write_text(code[1], "utf-8")
    (tmp_path / "run.mjs").write_text(
        "import { readFileSync } from 'node:fs'; import { verifyStatement } from './verify.mjs';\n"
        "const v = JSON.parse(readFileSync(process.argv[2])); const said = {};\n"
        "for (const c of v.cases) { try { verifyStatement(c.statement, v); said[c.name] = true; }\n"
        "catch { said[c.name] = false; } } console.log(JSON.stringify(said));\n",
        "utf-8",
    )
    file = ROOT / "tests/vectors/receipts/statements.json"
    done = subprocess.run(
        ["node", "run.mjs", str(file)], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(done.stdout) == {case["name"]: case["valid"] for case in VECTORS["cases"]}


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"keys": []}', '{"keys": [{"crv": "Ed25519", "x": "AA"}]}']
)
def test_a_key_set_without_a_usable_key_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match="JWK set"):
        read_key_set(text)
