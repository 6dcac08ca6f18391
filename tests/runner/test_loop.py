"""Whole studies, small ones, and what people ask for while they run."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from rung.api.attachment import run_inline
from rung.execute.base import Cursor, Executor, Held, Job
from rung.execute.local import LocalExecutor
from rung.model import Budget, Command, Reason
from rung.plugins import policy_for
from rung.runner.log import entry, open_engine
from rung.runner.loop import Runner, Settings
from rung.store.base import Entry, Lease, LeaseOwner, Logged, Position
from rung.store.errors import StoreBusy
from rung.store.sqlite import SqliteStore
from rung.study import events as ev
from rung.study.engine import Me
from rung.study.guard import Failure
from rung.study.policy import Answer, Policy
from rung.study.state import State
from runner.stage import ENDLESS, Stage, saw

pytestmark = pytest.mark.slow
Make = Callable[..., Stage]


def test_a_study_runs_to_its_budget(stage: Make) -> None:
    study = stage("echo loss: $RUNG_TRIAL", trials=3)
    assert study.run(workers=2) == "done"
    state = study.state()
    assert [trial.value for trial in state.trials()] == [0, 1, 2]
    assert state.switches.completed is not None
    assert state.switches.completed.state == "complete"
    assert [event.why for event in study.of(ev.RunnerDetached)] == ["done"]
    assert study.other.store.snapshot("study") is not None


def test_a_proposal_says_how_long_it_took(stage: Make) -> None:
    study = stage(trials=2)
    study.run()
    assert all(event.seconds > 0 for event in study.of(ev.TrialProposed))


def test_the_space_is_edited_while_the_runner_works(stage: Make) -> None:
    """The runner follows the log: what it proposes next is in the edited space."""
    study = stage("echo loss: 1; sleep 0.05", trials=4)
    study.when(
        saw(ev.TrialStarted, trial=1), lambda s: s.other.edit([("parameters.x.min", "0.5"), ("parameters.x.max", "9")])
    )
    study.run()
    proposed = study.of(ev.TrialProposed)
    assert [event.reason.space_version for event in proposed] == [1, 1, 2, 2]
    assert all(0.5 <= event.params["x"] <= 9 for event in proposed[2:])
    assert study.state().counts["complete"] == 4


def test_a_finished_study_is_left_at_once(stage: Make) -> None:
    study = stage(trials=1)
    study.run()
    before = len(study.of(ev.Decision))
    assert study.run() == "done"
    assert len(study.of(ev.Decision)) == before


def test_a_failed_trial_is_tried_again_with_what_it_saved(stage: Make) -> None:
    script = """
        if [ $RUNG_ATTEMPT = 1 ]; then mkdir -p $RUNG_CHECKPOINT_DIR; echo 7 > $RUNG_CHECKPOINT_DIR/saved; exit 9; fi
        echo loss: $(cat $RUNG_CHECKPOINT_DIR/saved)
    """
    study = stage(script, trials=1, retries=1)
    study.run()
    trial = study.state().trial(0)
    assert (trial.state, trial.attempt, trial.value) == ("complete", 2, 7)
    assert [event.code for event in study.of(ev.TrialExited)] == [9, 0]


def test_without_retries_it_fails_and_says_how(stage: Make) -> None:
    study = stage("echo went wrong >&2; exit 9", trials=1, budget=Budget(trials=1, max_failures=1))
    study.run()
    trial = study.state().trial(0)
    assert trial.state == "failed"
    assert trial.error == "exit status 9: went wrong"


def test_a_study_whose_first_five_trials_fail_is_given_up(stage: Make) -> None:
    study = stage("exit 1", trials=100)
    study.run(workers=2)
    state = study.state()
    assert state.counts["failed"] in {5, 6}
    assert state.switches.completed is not None
    assert state.switches.completed.state == "failed"


def test_the_failure_limit_ends_a_study(stage: Make) -> None:
    study = stage("[ $RUNG_TRIAL = 0 ] && echo loss: 1", budget=Budget(trials=100, max_failures=3))
    study.run()
    state = study.state()
    assert state.counts["failed"] == 3
    assert state.switches.completed is not None
    assert "limit 3" in state.switches.completed.reason.text


def test_a_trial_is_ended_at_its_time_limit(stage: Make) -> None:
    study = stage(ENDLESS, budget=Budget(trials=1, max_failures=1), timeout_s=0.2)
    study.run()
    trial = study.state().trial(0)
    assert trial.state == "failed"
    assert trial.error == "ended at its time limit of 0.2 s"


def test_a_study_is_ended_at_its_time_limit(stage: Make) -> None:
    study = stage(ENDLESS, budget=Budget(trials=100, time_s=0.5))
    study.run(workers=2)
    state = study.state()
    assert study.states() == ["pruned", "pruned"]
    assert state.switches.time_spent
    assert 0.5 <= state.switches.elapsed < 30


def test_the_target_ends_a_study(stage: Make) -> None:
    study = stage("echo loss: $((3 - RUNG_TRIAL))", budget=Budget(trials=100, target=1.0))
    study.run()
    state = study.state()
    assert len(state) == 3
    assert state.switches.best == 2


# ------------------------------------------------------------------------------------------- requests from elsewhere


def test_a_paused_study_starts_nothing_until_it_is_unpaused(stage: Make) -> None:
    study = stage(trials=3)
    study.when(saw(ev.TrialStarted, trial=0), lambda s: s.other.pause())
    study.when(saw(ev.TrialCompleted, trial=0), lambda s: s.other.unpause())
    study.run()
    kinds = [type(event) for event in study.events()]
    begin, end = kinds.index(ev.PauseRequested), kinds.index(ev.UnpauseRequested)
    assert ev.AttemptAssigned not in kinds[begin:end]
    assert study.states() == ["complete"] * 3


def test_stop_lets_the_running_trials_end(stage: Make) -> None:
    study = stage(trials=100)
    study.when(saw(ev.TrialStarted, trial=1), lambda s: s.other.stop())
    study.run()
    assert study.states()[:2] == ["complete"] * 2
    assert len(study.state()) <= 3


def test_stop_now_ends_them(stage: Make) -> None:
    study = stage(ENDLESS, trials=100)
    study.when(saw(ev.TrialReported, trial=1), lambda s: s.other.stop(now=True))
    study.run(workers=2)
    assert set(study.states()) <= {"pruned", "failed"}
    assert {event.code for event in study.of(ev.TrialExited)} == {143}


def test_one_trial_is_stopped_and_the_others_go_on(stage: Make) -> None:
    study = stage("echo loss: 1; [ $RUNG_TRIAL = 0 ] && exec sleep 100; true", trials=3)
    study.when(saw(ev.TrialReported, trial=0), lambda s: s.other.stop_trial(0))
    study.run()
    assert study.states() == ["pruned", "complete", "complete"]
    assert study.state().trial(0).reason == "stopped by the user"


def test_a_trial_is_run_again_on_request(stage: Make) -> None:
    study = stage("echo loss: $RUNG_ATTEMPT", trials=3)
    study.when(saw(ev.TrialCompleted, trial=0), lambda s: s.other.retry_trial(0))
    study.run()
    assert study.state().trial(0).value == 2


def test_a_retry_asked_for_as_the_study_ends_is_not_lost(stage: Make) -> None:
    study = stage("echo loss: $RUNG_ATTEMPT", trials=1)
    study.when(saw(ev.StudyCompleted), lambda s: s.other.retry_trial(0))
    study.run()
    if study.state().switches.completed is None:  # the runner had left already
        study.run()
    assert study.state().trial(0).value == 2


def test_an_enqueued_configuration_is_run_next(stage: Make) -> None:
    study = stage(trials=3)
    study.when(saw(ev.TrialStarted, trial=0), lambda s: s.other.enqueue({"x": 0.25}))
    study.run()
    assert [trial.params["x"] == 0.25 for trial in study.state().trials()].count(True) == 1
    assert study.of(ev.TrialProposed, trial=1)[0].reason.by == "enqueue"


def test_a_larger_budget_is_used(stage: Make) -> None:
    study = stage(trials=1)
    study.when(saw(ev.TrialStarted), lambda s: s.other.edit([("budget.trials", "3")]))
    study.run()
    assert study.states() == ["complete"] * 3


def test_a_request_is_seen_while_nothing_else_happens(stage: Make) -> None:
    """Only another connection's write can wake a runner that waits for nothing."""
    study = stage(ENDLESS, trials=1)
    study.when(saw(ev.PauseRequested), lambda s: s.other.stop_trial(0))
    study.when(saw(ev.TrialStopRequested), lambda s: s.other.stop())
    study.when(saw(ev.TrialReported), lambda s: s.other.pause())
    study.run()
    assert study.states() == ["pruned"]


# ---------------------------------------------------------------------------------------------- starts that are held


def test_a_held_start_is_said_once_and_made_when_there_is_room(stage: Make) -> None:
    study = stage(trials=2)
    in_the_way = study.runs / "study" / "00001"
    in_the_way.parent.mkdir(parents=True)
    in_the_way.write_text("not a directory")
    retries: list[str] = []

    class Watching(LocalExecutor):
        def start(self, job: Job) -> None:
            retries.append(job.key)
            if len(retries) == 4:  # trial 0, then trial 1 for the third time
                in_the_way.unlink()
            super().start(job)

    study.run(executor=Watching)
    assert study.states() == ["complete", "complete"]
    assert [line.split(":")[0] for line in study.said] == ["trial 1 is held", "trial 1 is no longer held"]
    assert len(study.of(ev.AttemptAssigned)) == 2, "a held start is the same attempt"


def test_a_held_start_has_the_first_go_at_room_that_is_made(stage: Make) -> None:
    """With two workers and room for one, each trial that ends makes room for the one that waits, not for a new one."""
    study = stage(trials=4)
    begun: list[str] = []

    class Narrow(LocalExecutor):
        def start(self, job: Job) -> None:
            if self.jobs():
                self._emit(Held(key=job.key, why="no room"))
                return
            begun.append(Path(job.directory).parent.name)
            super().start(job)

    study.run(workers=2, executor=Narrow)
    assert begun == ["00000", "00001", "00002", "00003"]


def test_a_held_trial_can_be_stopped_and_never_starts(stage: Make) -> None:
    study = stage(trials=1)
    study.runs.mkdir()
    in_the_way = study.runs / "study"
    in_the_way.write_text("not a directory")

    class Watching(LocalExecutor):
        def start(self, job: Job) -> None:
            study.other.stop_trial(0)
            study.other.stop()
            super().start(job)

        def adopt(self, job: Job, cursor: Cursor, *, ran_s: float | None = None) -> None:
            in_the_way.unlink()
            super().adopt(job, cursor, ran_s=ran_s)

    study.run(executor=Watching)
    assert study.states() == ["failed"]
    assert [event.how for event in study.of(ev.TrialExited)] == ["never"]


def test_a_held_start_that_is_under_way_is_waited_for_in_peace(stage: Make) -> None:
    """Its time has come and gone, but nothing is to be done until its news arrives."""
    study = stage(trials=1)
    in_the_way = study.runs / "study"
    in_the_way.parent.mkdir()
    in_the_way.write_text("not a directory")
    starts: list[str] = []
    turns: list[int] = []

    class Slow(LocalExecutor):
        def start(self, job: Job) -> None:
            starts.append(job.key)
            if len(starts) == 1:
                super().start(job)
                return
            in_the_way.unlink()
            self._watches[job.key] = None  # type: ignore[assignment]  # on its way
            self._loop.call_later(0.3, self._really, job)

        def _really(self, job: Job) -> None:
            del self._watches[job.key]
            super().start(job)

        def monotonic(self) -> float:
            if len(starts) == 2 and job_is_coming(self._watches):
                turns.append(1)
            return super().monotonic()

    def job_is_coming(watches: dict[str, Any]) -> bool:
        return None in watches.values()

    study.run(executor=Slow)
    assert study.states() == ["complete"]
    assert len(turns) < 100


# ------------------------------------------------------------------------------------------- a store that is in trouble


class Interrupting(SqliteStore):
    """Others write right before the first report, and when that is to be read back the file is busy."""

    met = busy = False

    def append(
        self, study: str, entries: Sequence[Entry], *, after: int | None = None, lease: Lease | None = None
    ) -> Position:
        if not self.met and any(b"TrialReported" in entry.body for entry in entries):
            self.met = self.busy = True
            super().append(study, [entry(ev.UnpauseRequested(at=1.0))])
        return super().append(study, entries, after=after, lease=lease)

    def read(self, study: str, *, after: int = 0, limit: int = 10_000, trial: int | None = None) -> list[Logged]:
        if self.busy:
            self.busy = False
            raise StoreBusy("the file is locked", place=self.url)
        return super().read(study, after=after, limit=limit, trial=trial)


def test_a_fact_that_was_written_and_could_not_be_read_back_is_not_written_again(stage: Make) -> None:
    study = stage(trials=1)
    study.run(store=Interrupting)
    assert study.states() == ["complete"]
    assert len(study.of(ev.TrialReported)) == len(study.of(ev.TrialExited)) == 1
    assert [line.rpartition("; ")[2] for line in study.said][1:] == ["nothing was lost"]


# ------------------------------------------------------------------------------------------------ losing and adopting


def fence(study: Stage) -> None:
    """Somebody takes this runner for dead."""
    for lease in study.other.store.leases("study"):
        study.other.store.release(lease)


def test_a_runner_whose_lease_was_taken_goes_on_under_a_new_one_with_the_same_processes(stage: Make) -> None:
    study = stage("for i in 1 2 3 4 5 6; do echo '{\"step\": '$i', \"loss\": 1}'; sleep 0.1; done", trials=3)
    study.when(saw(ev.TrialReported, trial=1), fence)
    study.run(workers=2)
    assert len(study.of(ev.RunnerAttached)) == 2
    assert [event.why for event in study.of(ev.RunnerDetached)] == ["lost", "done"]
    assert study.of(ev.AttemptAdopted)
    for number in range(3):
        assert [report.step for report in study.other.reports(number)] == [1, 2, 3, 4, 5, 6]
        assert len(study.of(ev.TrialStarted, trial=number)) == 1


def leave_behind(study: Stage, *, host: str, asked: bool) -> None:
    """The log of a runner that is gone and had one trial."""
    store = study.other.store
    lease = store.acquire("study", LeaseOwner("gone", host, "another-boot", 1, 1))
    base: dict[str, Any] = {"at": 1.0, "runner": "gone", "epoch": lease.epoch}
    params = {"x": study.other.state.space.middle()["x"]}
    facts = [ev.RunnerAttached(**base, host=host, pid=1, workers=1)]
    decisions = [
        ev.TrialProposed(**base, based_on=2, trial=0, params=params, reason=Reason(by="enqueue", text="")),
        ev.AttemptAssigned(**base, based_on=2, trial=0, attempt=1, asked=asked),
    ]
    store.append("study", [entry(event) for event in [*facts, *decisions]], after=0, lease=lease)
    store.release(lease)


def test_an_attempt_on_a_machine_that_is_gone_is_lost_and_made_again_here(stage: Make) -> None:
    study = stage(trials=1, recomputed=False)
    leave_behind(study, host="elsewhere", asked=False)
    assert study.run() == "done"
    assert [(event.attempt, event.how) for event in study.of(ev.TrialExited)] == [(1, "lost"), (2, "exited")]
    assert study.other.state.trial(0).state == "complete"
    assert [event.why for event in study.of(ev.RunnerDetached)] == ["lost", "done"]


def test_an_asked_trial_whose_process_is_gone_has_failed(stage: Make) -> None:
    study = stage(recomputed=False, budget=Budget(trials=1, max_failures=1))
    leave_behind(study, host="elsewhere", asked=True)
    assert study.run() == "done"
    trial = study.other.state.trial(0)
    assert (trial.state, trial.error) == ("failed", "the process that asked for it is gone")


def test_a_proposal_that_another_runner_overtook_is_dropped(stage: Make) -> None:
    """While the answer is computed, somebody else proposes the trial of that number."""
    study = stage(trials=2)

    def policies(state: State) -> Policy:
        policy = policy_for(state)
        question = policy.question

        def slow(state: State, free: int) -> Answer:
            answer, number = question(state, free), len(state)

            def overtaken(failure: Failure | None) -> list[Command]:
                if number == 0 and not study.of(ev.TrialProposed):
                    propose(study)
                return answer(failure)

            return Answer(overtaken)

        policy.question = slow  # type: ignore[method-assign]
        return policy

    study.run(policies=policies)
    assert [event.trial for event in study.of(ev.TrialProposed)] == [0, 1]
    assert study.other.state.counts["complete"] == 2


def propose(study: Stage) -> None:
    """What the study's policy would propose, by the hand of another runner that then leaves it waiting."""
    store = study.other.store
    engine = open_engine(store, "study", policy_for, Me("other", 99))
    question = engine.question(free=1)
    assert question is not None
    proposed = engine.conclude(question, question.answer(), at=1.0)[:1]
    store.append("study", [entry(event) for event in proposed], after=engine.state.decisions)


def test_a_runner_that_breaks_down_says_so_in_the_log(stage: Make) -> None:
    study = stage(trials=1)

    def broken_policy(state: State) -> Policy:
        policy = policy_for(state)
        policy.question = lambda *_: 1 / 0  # type: ignore[assignment, method-assign]
        return policy

    with pytest.raises(ZeroDivisionError):
        study.run(policies=broken_policy)
    assert [event.why for event in study.of(ev.RunnerDetached)] == ["error"]
    assert study.run() == "done"


def test_inline_trials_run_in_this_process(stage: Make) -> None:
    study = stage(trials=3)
    settings = Settings(study="study", runs=study.runs, workers=4)
    pids: list[int] = []

    def objective(params: dict[str, Any]) -> float:
        pids.append(os.getpid())
        return float(params["x"])

    def make(executor: Executor) -> Runner:
        return Runner(study.door, executor, policy_for, settings, observe=lambda *_: None, say=print)

    assert run_inline(objective, make) == "done"
    state = study.state()
    assert pids == [os.getpid()] * 3
    assert [trial.value for trial in state.trials()] == [trial.params["x"] for trial in state.trials()]
