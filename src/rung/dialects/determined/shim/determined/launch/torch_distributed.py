"""`python -m determined.launch.torch_distributed PROGRAM…`: the program, as the one process of its trial."""

from __future__ import annotations

import sys

from determined.launch import _one

if __name__ == "__main__":
    _one.run(sys.argv[1:], "torch_distributed")
