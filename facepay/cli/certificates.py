"""`facepay certificates`: the authority and the leaf that tills on the nexo wire ask for."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from facepay.cli.exits import Exit
from facepay.settings import Settings
from pos_adapter.certificates import CertificateOrder, make_certificates


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("folder", type=Path, help="where the files go; an authority there is used again")
    parser.add_argument("--poi-id", required=True, help="POIID of this terminal: MODEL-SERIAL")
    parser.add_argument(
        "--address",
        action="append",
        required=True,
        help="host name or IP address under which tills reach this terminal; may be repeated",
    )
    parser.add_argument("--live", action="store_true", help="a name for live use instead of tests")


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Make the files and say who needs which."""
    order = CertificateOrder(arguments.poi_id, tuple(arguments.address), live=arguments.live)
    files = make_certificates(arguments.folder, order)
    if arguments.json:
        print(
            json.dumps(
                {
                    "common_name": order.common_name,
                    "authority": str(files.authority),
                    "certificate": str(files.leaf),
                    "private_key": str(files.key),
                }
            )
        )
        return Exit.DONE
    print(f"certificate of {order.common_name}")
    print(f"  for the tills:     {files.authority}")
    print(f"  for this terminal: certificate = {files.leaf}")
    print(f"                     private_key = {files.key}")
    print(f"  keep away:         {files.authority_key} signs further certificates")
    return Exit.DONE
