"""Each invariant notices when it is broken."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rung.model import Reason
from rung.study import events as ev
from rung.study.invariants import broken
from rung.study.state import Live, State
from rung.study.transitions import Phase
from rung.testing.studies import Folding, study_spec


def sound() -> State:
    """Trial 0 complete, 1 failed, 2 running, 3 waiting, 4 stopping, 5 ended."""
    log = Folding(study_spec())
    log.done(0.5)
    log.failed()
    log.started()
    log.proposed()
    log.add(ev.TrialStopped, trial=log.started(), attempt=1, reason=Reason(by="test", text="because"))
    log.exited(log.started())
    return log.state


def miscount(state: State) -> None:
    state.phases[Phase.COMPLETE] += 1


def lose_the_live(state: State) -> None:
    del state.live[3]
    state.active.discard(3)
    state.due[Phase.WAITING].discard(3)


def keep_the_dead(state: State) -> None:
    state.live[0] = Live(0)
    state.active.add(0)


def miscount_the_busy(state: State) -> None:
    state.busy[9] += 1


def forget_the_active(state: State) -> None:
    state.active.clear()


def misweigh_the_checkpoints(state: State) -> None:
    state.shelf.bytes += 1


def misweigh_what_must_stay(state: State) -> None:
    state.shelf.needed_bytes += 1


def forget_what_costs(state: State) -> None:
    del state.tally.priced[2]


def miscount_what_costs(state: State) -> None:
    state.tally.priced_since += 1


def forget_the_runner(state: State) -> None:
    state.live[2].runner = ""


def forget_the_exit(state: State) -> None:
    state.live[5].exit = None


def forget_the_stop(state: State) -> None:
    state.live[4].stop = None


def forget_the_value(state: State) -> None:
    state.table["values"][0] = np.nan
    state.table["has:loss"][0] = 0


def forget_the_error(state: State) -> None:
    del state.errors[1]


def stop_the_dead(state: State) -> None:
    state.trial_stops.add(0)


def test_a_sound_state() -> None:
    assert broken(sound()) == []


@pytest.mark.parametrize(
    ("breakage", "line"),
    [
        (miscount, "2 trials are counted as complete, 1 are"),
        (lose_the_live, "trial 3 is neither final nor live"),
        (keep_the_dead, "trial 0 is final and live"),
        (miscount_the_busy, "runners have {1: 2} attempts, {1: 2, 9: 1} are counted"),
        (forget_the_active, "the active trials are [2, 3, 4, 5], [] are said to be"),
        (misweigh_the_checkpoints, "checkpoints take 0 bytes, 1 are counted"),
        (misweigh_what_must_stay, "checkpoints that must stay take 0 bytes, 1 are counted"),
        (forget_what_costs, "trials [2, 4] cost by their time, [4] are counted"),
        (miscount_what_costs, "trials that cost by their time started after 32 s in sum, 33 are counted"),
        (forget_the_runner, "trial 2 is running and no runner was named for it"),
        (forget_the_exit, "trial 5 has ended without an exit"),
        (forget_the_stop, "trial 4 is stopping without a reason"),
        (forget_the_value, "trial 0 is complete without a value"),
        (forget_the_error, "trial 1 failed without a word"),
        (stop_the_dead, "trial 0 is over and still asked to stop"),
    ],
)
def test_each_breakage_is_noticed(breakage: Callable[[State], None], line: str) -> None:
    state = sound()
    breakage(state)
    assert broken(state) == [line]


def test_a_value_that_is_nan_is_a_value() -> None:
    log = Folding(study_spec())
    log.done("NaN")
    assert broken(log.state) == []
