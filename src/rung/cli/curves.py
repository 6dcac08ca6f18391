"""The whole curves of trials, read from the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.study import events as ev

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.api.handle import Handle
    from rung.model import Report

READ_ALONE = 20  # so many trials are read one by one; for more the log is read through once


def curves_of(handle: Handle, numbers: Sequence[int]) -> dict[int, list[Report]]:
    """The reports of each trial's last attempt."""
    if len(numbers) <= READ_ALONE:
        return {number: handle.reports(number) for number in numbers}
    found: dict[int, list[Report]] = {number: [] for number in numbers}
    attempts = handle.state.table["attempt"].tolist()
    for _, event in handle.story():
        if isinstance(event, ev.TrialReported) and event.trial in found and event.attempt == attempts[event.trial]:
            found[event.trial] += event.reports
    return found
