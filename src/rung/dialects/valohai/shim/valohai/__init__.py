"""Stands for Valohai's helper package where a trial's Python lacks it: parameters, inputs, outputs, metadata.

What is not here raises, and says what to do instead.
"""

from __future__ import annotations

from typing import NoReturn

from .files import Input, Output, Outputs, inputs, outputs
from .metadata import Logger, logger
from .state import Parameter, parameters, prepare

__all__ = ["Input", "Logger", "Output", "Outputs", "Parameter", "inputs", "logger", "outputs", "parameters", "prepare"]

_WAYS = {
    "distributed": "tasks of the type distributed are not run by Rung",
    "execution": "read VH_CONFIG_DIR/execution.json",
    "output_properties": "write what belongs to an output into a file beside it",
    "set_status_detail": "print it: `rung logs` shows what a trial prints",
    "Pipeline": "pipelines are not run by Rung",
    "triggers": "triggers are not run by Rung",
}


def __getattr__(name: str) -> NoReturn:
    way = _WAYS.get(name)
    if way is None:
        raise AttributeError(f"module 'valohai' has no attribute {name!r}")
    raise AttributeError(
        f"valohai.{name} is not in the stand-in that Rung provides: {way}, or install the original with: "
        "pip install valohai-utils"
    )
