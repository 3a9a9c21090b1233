"""`python -m facepay`."""

import sys

from facepay.cli import main

if __name__ == "__main__":
    sys.exit(main())
