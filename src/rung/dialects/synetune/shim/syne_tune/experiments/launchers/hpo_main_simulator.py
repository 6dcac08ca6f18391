"""Experiments on tables: their tables need downloads."""

from __future__ import annotations

from typing import Any


def main(*_: Any, **__: Any) -> None:
    """Not covered: raises, and says what takes its place."""
    raise NotImplementedError(
        "hpo_main_simulator.main is not covered: its tables are downloaded. Put yours into a file and run "
        "`rung simulate STUDY.yaml --table TABLE.csv --workers N`, or compare methods with `rung compare`"
    )
