"""`flush_floor.py FOLDER COUNT`: append half a kilobyte and flush it to the disk, that often; milliseconds each."""

from __future__ import annotations

import json
import os
import sys
import time

if __name__ == "__main__":
    folder, count = sys.argv[1], int(sys.argv[2])
    fd = os.open(f"{folder}/floor", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(fd, b"x" * 512)
    os.fdatasync(fd)
    started = time.perf_counter()
    for _ in range(count):
        os.write(fd, b"x" * 512)
        os.fdatasync(fd)
    print(json.dumps({"ms": 1e3 * (time.perf_counter() - started) / count}))
