from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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


def within(written: Any, read: Any) -> bool:
    """Whether all that was written was read: a field that is added later has its default."""
    if isinstance(written, dict):
        return isinstance(read, dict) and all(
            key in read and within(value, read[key]) for key, value in written.items()
        )
    if isinstance(written, list):
        return isinstance(read, list) and len(read) == len(written) and all(map(within, written, read))
    return bool(written == read)


@pytest.mark.parametrize("name", LOGS)
def test_what_is_read_is_what_was_written(name: str) -> None:
    lines = (HERE / f"{name}.jsonl").read_bytes().splitlines()
    for line, event in zip(lines, log(name), strict=True):
        assert within(json.loads(line), json.loads(ev.encode(event)))
