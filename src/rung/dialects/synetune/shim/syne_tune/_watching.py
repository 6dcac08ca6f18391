"""While a tuner works: its status is kept, its criterion asked at every report, its callbacks called."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from ._study import trial_of
from .backend.trial_status import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rung.runner.loop import Runner
    from rung.study import events as ev

    from .tuner import Tuner

_TICK_S = 0.5
Hook = tuple[str, tuple[Any, ...]]


class Watcher:
    """Follows the log of a tuner's study, in the process that works on it.

    A study that goes on has a past: it counts in the status, and no callback hears of it again.
    """

    def __init__(self, tuner: Tuner, enough: Callable[[Any], bool] | None) -> None:
        self.tuner, self.enough = tuner, enough
        self.reader = tuner.experiment
        self.story = self.reader.story()
        self.failure: BaseException | None = None
        self.stopped = False
        self._seq = self.reader.handle.state.seq
        self._runner: Runner | None = None
        self._hooks: list[Hook] = []
        self._rows: list[Any] = []
        self._changed: dict[int, None] = {}
        self._flushing = self._ticking = self._over = False
        self._written = self._seen_at = time.monotonic()
        self._update(self.story.status, self.story.rows)

    def attached(self, runner: Runner) -> None:
        """It is this runner that works."""
        self._runner = runner
        self._trim()

    def observe(self, state: Any, events: Sequence[ev.AnyEvent]) -> None:
        """The status is that after these events; what callbacks are to hear is put down."""
        for event in self._missed(state, events):
            self._take(event)
        self._seq = max(self._seq, state.seq)
        self._over = state.switches.completed is not None
        self._seen_at = time.monotonic()
        self._ask()
        self._flush_soon()

    def _ask(self) -> None:
        """The criterion is asked; once it says that it is enough, the study is stopped."""
        if self.enough is None or self.stopped or self._over or self.failure is not None:
            return
        self.tuner.tuning_status.wallclock = self.story.seconds + time.monotonic() - self._seen_at
        if self._asked(self.enough, self.tuner.tuning_status):
            self.stopped = True
            self.reader.handle.stop(now=not self.tuner.wait_trial_completion_when_stopping, surface="synetune")
            self._fold()

    def _tick(self) -> None:
        """A criterion may look at the clock, so it is asked when nothing happens, too."""
        self._ask()
        if not (self.stopped or self._over):
            asyncio.get_running_loop().call_later(_TICK_S, self._tick)

    def _missed(self, state: Any, events: Sequence[ev.AnyEvent]) -> Sequence[ev.AnyEvent]:
        """The events, and what others wrote before them that was not seen yet."""
        if state.seq - len(events) == self._seq:
            return events
        found = self.reader.handle.store.read(self.reader.handle.name, after=self._seq, limit=state.seq - self._seq)
        from rung.study import events as log

        return [log.decode(one.body, seq=one.seq) for one in found]

    def _take(self, event: ev.AnyEvent) -> None:
        from rung.study import events as log

        rows = self.story.apply(event)
        number = getattr(event, "trial", None)
        touched = [number] if number in self.story.status else []
        self._update({n: self.story.status[n] for n in touched}, rows)
        self._changed.update(dict.fromkeys(touched))
        self._rows += rows
        self._hooks += [("on_trial_result", (row,)) for row in rows]
        if isinstance(event, log.TrialStarted):
            name = "on_start_trial" if event.attempt == 1 else "on_resume_trial"
            self._hooks.append((name, (trial_of(self.story, event.trial),)))
        elif isinstance(event, log.TrialCompleted):
            if event.state == "complete":
                last = self.story.last(event.trial)
                self._hooks.append(("on_trial_complete", (trial_of(self.story, event.trial), last)))
            elif event.state == "failed":
                self._trim()

    def _update(self, statuses: dict[int, str], rows: Sequence[Any]) -> None:
        status = self.tuner.tuning_status
        status.wallclock = self.story.seconds
        status.update(
            {number: (trial_of(self.story, number), found) for number, found in statuses.items()},
            [(row.trial, row.result) for row in rows],
        )

    def _trim(self) -> None:
        """Failed trials count as started and as finished: one less is to begin for each."""
        most = self.tuner.most_trials(self.tuner.tuning_status.num_trials_failed)
        handle = self.reader.handle
        handle.refresh()
        budget, over = handle.state.spec.budget, handle.state.switches.completed is not None
        if most is None or budget.trials in {None, most} or over:
            return
        from rung.dialects.synetune.driver import with_budget

        handle.change(with_budget(handle.state.spec, budget, most), surface="synetune")
        self._fold()

    def _fold(self) -> None:
        """What was asked for is known to the runner before it decides anything more."""
        seat = None if self._runner is None else self._runner.seat
        if seat is not None and hasattr(seat, "engine"):
            seat.catch_up()

    # ------------------------------------------------------------------------------------------------ callbacks

    def _flush_soon(self) -> None:
        """Callbacks hear of a report once it is decided what becomes of its trial: at the end of this turn."""
        if self._flushing:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.flush()
            return
        self._flushing = True
        loop.call_soon(self.flush)
        if not self._ticking and self.enough is not None:
            self._ticking = True
            loop.call_later(_TICK_S, self._tick)

    def flush(self) -> None:
        """Callbacks have heard of all that happened, and the results are written when it is time."""
        self._flushing = False
        hooks, rows, changed = self._hooks, self._rows, self._changed
        self._hooks, self._rows, self._changed = [], [], {}
        if hooks or changed:
            self._tell(hooks, rows, changed)
        if time.monotonic() - self._written >= self.tuner.results_update_interval:
            self.tuner.write_results(self.story)
            self._written = time.monotonic()

    def _tell(self, hooks: Sequence[Hook], rows: Sequence[Any], changed: dict[int, None]) -> None:
        statuses = {n: (trial_of(self.story, n), self.story.status.get(n, Status.in_progress)) for n in changed}
        self.call("on_loop_start")
        self.call("on_fetch_status_results", statuses, [(row.trial, row.result) for row in rows])
        for name, arguments in hooks:
            if name == "on_trial_result":
                (row,) = arguments
                self.call(name, trial_of(self.story, row.trial), row.status, dict(row.result), row.decision)
            else:
                self.call(name, *arguments)
        self.call("on_loop_end")

    def call(self, name: str, *arguments: Any) -> None:
        """Every callback has heard. One that raises ends the tuning; its error is raised by `Tuner.run`."""
        for callback in self.tuner.callbacks:
            if self.failure is None:
                self._asked(getattr(callback, name), *arguments)

    def _asked(self, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a callback can raise anything; `run` raises it again
            self.failure = error
            if self._runner is not None:
                self._runner.end("interrupted")
            return False
