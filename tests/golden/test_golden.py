from __future__ import annotations

import json
from pathlib import Path

import pytest

from rung.plugins import policy_for
from rung.study import events as ev
from rung.study import replay
from rung.study.invariants import broken
from rung.testing.studies import digest

HERE = Path(__file__).parent
LOGS = sorted(path.stem for path in HERE.glob("*.jsonl"))
DIGESTS: dict[str, str] = json.loads((HERE / "digests.json").read_text())
FOLD_ONLY: frozenset[str] = frozenset()  # logs whose searcher has changed on purpose since


def log(name: str) -> list[ev.AnyEvent]:
    lines = (HERE / f"{name}.jsonl").read_bytes().splitlines()
    return [ev.decode(line, seq=seq) for seq, line in enumerate(lines, start=1)]


def test_each_log_has_its_digest() -> None:
    assert set(DIGESTS) == set(LOGS)
    assert len(LOGS) >= 5


@pytest.mark.parametrize("name", LOGS)
def test_it_folds_to_the_state_that_it_always_did(name: str) -> None:
    state = replay.fold(log(name))
    assert broken(state) == []
    assert digest(state) == DIGESTS[name]


@pytest.mark.parametrize("name", sorted(set(LOGS) - FOLD_ONLY))
def test_its_decisions_can_be_computed_again(name: str) -> None:
    assert [str(deviation) for deviation in replay.check(log(name), policy_for)] == []


@pytest.mark.parametrize("name", LOGS)
def test_what_is_read_is_what_was_written(name: str) -> None:
    lines = (HERE / f"{name}.jsonl").read_bytes().splitlines()
    assert [ev.encode(event) for event in log(name)] == lines
