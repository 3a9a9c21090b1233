"""The table of commands: a name, the module that has it, and one line of help.

A module is imported only when its command is typed, so that `facepay --help` needs no models.
It has `add_arguments(parser)` and `run(arguments, settings) -> Exit`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """One word after `facepay`."""

    module: str
    summary: str


COMMANDS: dict[str, Command] = {
    "demo": Command("facepay.cli.demo", "try everything on this machine, in a browser or as a transcript"),
    "serve": Command("facepay.cli.serve", "the terminal of a shop: pages and wires, until it is stopped"),
    "enrol": Command("facepay.cli.enrol", "enrol somebody at this machine's camera"),
    "erase": Command("facepay.cli.erase", "erase a payer with a receipt, or verify a receipt"),
    "subjects": Command("facepay.cli.subjects", "who is enrolled, by pseudonym"),
    "pay": Command("facepay.cli.pay", "one payment at this machine"),
    "refund": Command("facepay.cli.refund", "give money back: a role, and two persons above an amount"),
    "wallet": Command("facepay.cli.wallet", "top up, pay out and prove the built-in ledger"),
    "models": Command("facepay.cli.models", "list, install and check model packs"),
    "keys": Command("facepay.cli.keys", "make, list, rotate, destroy, escrow and restore keys"),
    "backup": Command("facepay.cli.backup", "the database as one sealed file, or such a file opened again"),
    "camera": Command("facepay.cli.camera", "learn the pattern of this terminal's camera"),
    "doctor": Command("facepay.cli.doctor", "say what is missing, and what to type"),
    "selftest": Command("facepay.cli.selftest", "known answers through every stage"),
    "journal": Command("facepay.cli.journal", "prove, export and reconcile the journal"),
    "receipt": Command("facepay.cli.receipt", "check a receipt offline, print one, hand out public keys"),
    "audit": Command("facepay.cli.audit", "verify the audit log, or print a payer's extract"),
    "till": Command("facepay.cli.till", "speak the till's side of a wire"),
    "wire-check": Command("facepay.cli.wire_check", "check any terminal on a wire, with a report"),
    "certificates": Command("facepay.cli.certificates", "make the certificates that nexo tills ask for"),
    "evaluate": Command("facepay.cli.evaluate", "measure error rates, with a report"),
    "calibrate": Command("facepay.cli.calibrate", "measure a pack's thresholds on photos"),
    "chaos": Command("facepay.cli.chaos", "break everything around payments and count the cents"),
}
