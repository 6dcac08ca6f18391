"""`rung_run.py OUT ARGS...`: `rung ARGS` in this process; OUT gets the processor seconds of this process alone."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from rung.cli.main import main

if __name__ == "__main__":
    code = main(sys.argv[2:])
    used = resource.getrusage(resource.RUSAGE_SELF)
    Path(sys.argv[1]).write_text(json.dumps({"cpu_s": used.ru_utime + used.ru_stime}))
    sys.exit(code)
