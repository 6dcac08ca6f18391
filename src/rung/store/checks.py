"""What every store checks and says alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.model import BadInput, Conflict, Fenced, UnknownStudy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.store.base import Entry, Lease


def count_decisions(entries: Sequence[Entry], after: int | None) -> int:
    """How many of `entries` are decisions; raises `ValueError` when there are any and `after` is not given."""
    decisions = sum(entry.kind == "decision" for entry in entries)
    if decisions and after is None:
        raise ValueError("a decision is appended with after=, the number of decisions it was computed from")
    return decisions


def unknown_study(study: str, url: str) -> UnknownStudy:
    """The error for a study that is not there."""
    return UnknownStudy(f"no study {study!r} in {url}; `rung ls` lists those that are there")


def taken(study: str, url: str) -> BadInput:
    """The error for a name that another study has."""
    return BadInput(f"a study {study!r} is already in {url}; `rung resume` continues it, or choose another name")


def conflict(study: str, *, after: int | None, decisions: int) -> Conflict:
    """The error for a decision computed from another state."""
    return Conflict(f"study {study!r} holds {decisions} decisions, this append was computed from {after}")


def fenced(lease: Lease) -> Fenced:
    """The error for a lease that is no longer its runner's current one."""
    return Fenced(f"runner {lease.owner.runner!r} no longer holds lease {lease.epoch} of study {lease.study!r}")
