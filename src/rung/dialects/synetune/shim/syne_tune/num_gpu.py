"""How many GPUs this process may use."""

from __future__ import annotations

import os


def get_num_gpus() -> int:
    """The number of GPUs, less those that CUDA_VISIBLE_DEVICES hides."""
    from rung.execute.devices import find_gpus, installed_gpus

    return len(find_gpus(os.environ, installed_gpus()))
