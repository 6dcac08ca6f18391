"""What the tests of the harness measure: sides that note their turns, and a session in the test's own folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.claims import Claim
from bench.journal import Journal, Values
from bench.peers import Peers
from bench.rows.base import Row, Side, Sizes
from bench.session import Session
from bench.workshop import Workshop


class Turns:
    """Sides that note when they were measured and can break off."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.break_after = -1

    def side(self, name: str, value: float) -> Side:
        def measure(shop: Workshop, sizes: Sizes) -> Values:
            if len(self.taken) == self.break_after:
                raise KeyboardInterrupt
            self.taken.append(name)
            return {"ms": value * len(self.taken) * sizes["factor"]}

        return measure

    def row(self, **changes: object) -> Row:
        """A row of two sides, the second three times as slow."""
        row = {
            "name": "turns",
            "title": "Turns",
            "sides": {"rung": self.side("rung", 1.0), "peer": self.side("peer", 3.0)},
            "claims": (
                Claim(what="a turn", metric="ms", unit="ms", peer="peer", peer_name="the peer", goal=2.0, least=True),
                Claim(what="a turn, read", metric="ms", unit="ms", kind="reading", goal=0.5),
            ),
            "how": "Turns are taken.",
            "limits": "",
            "sizes": {"factor": 1},
            "quick": {"factor": 2},
        }
        return Row(**(row | changes))  # type: ignore[arg-type]


@pytest.fixture(name="turns")
def make_turns() -> Turns:
    return Turns()


@pytest.fixture(name="session")
def make_session(tmp_path: Path) -> Session:
    """A session that measures and publishes below the test's own folder."""
    return Session(
        quick=False,
        journal=Journal(tmp_path / "results" / "journal.jsonl"),
        shop=Workshop(tmp_path / "scratch", Peers(tmp_path / "venvs")),
        machine={"processor": "abacus", "cores": 2, "memory_gb": 1, "kernel": "K", "python": "P", "file_system": "F"},
        machine_id="m",
        code="c0de",
        target=tmp_path / "docs",
    )
