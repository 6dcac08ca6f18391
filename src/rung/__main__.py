"""`python -m rung` is `rung`."""

from __future__ import annotations

import sys

from rung.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
