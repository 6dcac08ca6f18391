"""The scheduler `auto` keeps the contract."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from rung.schedule.auto import FreezeThaw, fresh, outlook, scheduler
from rung.schedule.base import Progress
from rung.testing.racing import MakeScheduler
from rung.testing.schedulers import SchedulerConformance


class TestFreezeThaw(SchedulerConformance):
    given: ClassVar[dict[str, Any]] = {"initial": 4}
    BAD: ClassVar[dict[str, Any]] = {
        "min": [0, -1, 27, "1", True],
        "max": [0, -1, "27"],
        "eta": [1, 0, "2"],
        "initial": [0, 1, 2.5, "4"],
        "checkpoint": ["yes", 1],
    }
    TRIALS: ClassVar[int] = 16
    MANY: ClassVar[int] = 400

    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A model that forgets early and looks at few candidates: the contract is the same, and the tests are quick."""
        for name, value in (("MOST", 24), ("THINNED", 16)):
            monkeypatch.setattr(scheduler, name, value)
        for name, value in (("ANYWHERE", 12), ("NEARBY", 8)):
            monkeypatch.setattr(fresh, name, value)
        monkeypatch.setattr(outlook, "ROWS", 32)

    def test_independent_neighbours_may_change_places(self, make: MakeScheduler) -> None:
        """Of two reports at a look either tells the model what the other is judged by, so no two of those are
        independent; reports between looks are."""
        meeting = self.meeting(make, trials=16, workers=8)
        history, swapped = meeting.history, 0
        for i in range(len(history) - 1):
            one, two = history[i], history[i + 1]
            if not (isinstance(one, Progress) and isinstance(two, Progress)) or one.number == two.number:
                continue
            if meeting.answers[i] or meeting.answers[i + 1] or swapped == 12:
                continue
            swapped += 1
            scheduler = make(meeting.contest)
            told = [list(scheduler.observe([delta])) for delta in [*history[:i], two, one, *history[i + 2 : i + 30]]]
            assert told[i + 2 :] == meeting.answers[i + 2 : i + 30]
        assert swapped == 12

    @pytest.fixture
    def make(self) -> MakeScheduler:
        return FreezeThaw
