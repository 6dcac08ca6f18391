"""What the freeze-thaw scheduler does with a study."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from rung.model import BadInput, Continue, Pause, Stop
from rung.schedule.auto import FreezeThaw
from rung.schedule.base import Ask, Begun, Ended, Held, Progress, Propose
from rung.study.seeds import generator
from rung.testing.racing import Meeting, contest

OPTIONS: dict[str, Any] = {"initial": 4}


def bowl(lr: float, step: float) -> tuple[float]:
    """Best at lr = 0.01; everything falls as it trains."""
    return (abs(math.log10(lr) + 2.0) + 1.0 / step,)


class Bowl(Meeting):
    """A study whose losses follow from the configurations that the scheduler proposes."""

    def _propose(self, number: int, place: Ask | Propose) -> None:
        params = (
            place.params if isinstance(place, Propose) else {"lr": 10 ** (-4 + 4 * (number * 0.37 % 1)), "width": 8}
        )
        self.lrs = [*getattr(self, "lrs", []), params["lr"]]
        super()._propose(number, place)


def bowled(**changes: Any) -> Bowl:
    asked = contest(OPTIONS, method="auto", **changes)
    meeting = Bowl(FreezeThaw(asked), asked, trials=14, workers=2)
    meeting.curve = lambda number, step: bowl(meeting.lrs[number], step)
    meeting.go()
    return meeting


def test_few_are_run_to_the_end_and_they_are_the_best() -> None:
    meeting = bowled()
    finished = [run.number for run in meeting.runs if run.step == 27]
    errors = [abs(math.log10(lr) + 2.0) for lr in meeting.lrs]
    assert meeting.work() < 0.8 * 27 * len(meeting.runs)
    assert min(errors[number] for number in finished) < 0.15
    assert sum(errors[number] for number in finished) / len(finished) < 0.5 * sum(errors) / len(errors)


def test_it_proposes_near_the_best() -> None:
    meeting = bowled()
    own = [place for place in meeting.begun if isinstance(place, Propose)]
    assert len(own) >= 5
    assert sum(abs(math.log10(place.params["lr"]) + 2.0) < 0.5 for place in own) >= len(own) / 2
    for place in own:
        assert {"predicted", "sd", "chance"} <= set(place.reason.data)
        assert "expected to end at loss0" in place.reason.text


def test_the_first_ones_are_the_searchers_up_to_the_first_look() -> None:
    asked = contest(OPTIONS, method="auto")
    scheduler = FreezeThaw(asked)
    assert scheduler.levels() == (1, 3, 6, 13, 27)
    assert scheduler.next(0, generator(7, "schedule", 0)) == Ask(resource=1)


def test_a_first_look_that_says_too_little_holds_the_trial() -> None:
    scheduler = FreezeThaw(contest(OPTIONS, method="auto"))
    scheduler.observe([Begun(0, {"lr": 0.1, "width": 8})])
    assert scheduler.observe([Progress(0, 0.5, (0.5,), (0.5,))]) == []
    (command,) = scheduler.observe([Progress(0, 1.0, (0.5,), (0.5,))])
    assert isinstance(command, Pause)
    assert "waits until 4 configurations" in command.reason.text


def test_beyond_the_end_a_trial_is_complete() -> None:
    scheduler = FreezeThaw(contest(OPTIONS, method="auto"))
    scheduler.observe([Begun(0, {"lr": 0.1, "width": 8})])
    (command,) = scheduler.observe([Progress(0, 30.0, (0.5,), (0.5,))])
    assert isinstance(command, Stop)
    assert command.complete


def test_where_nobody_says_how_far_trials_go_the_first_that_ends_does() -> None:
    scheduler = FreezeThaw(contest(OPTIONS, method="auto", epochs=None))
    assert scheduler.levels() == ()
    assert scheduler.next(0, generator(7, "schedule", 0)) == Ask(resource=None)
    scheduler.observe(
        [Begun(0, {"lr": 0.1, "width": 8}), *(Progress(0, float(s), (0.5,), (0.5,)) for s in range(1, 33))]
    )
    scheduler.observe([Ended(0, (0.5,))])
    assert scheduler.levels() == (2, 4, 8, 16, 32)


def test_several_objectives_are_left_to_asha() -> None:
    scheduler = FreezeThaw(contest({}, method="auto", objectives=2))
    assert "several objectives" in scheduler.describe()
    assert "ASHA" in scheduler.describe()
    assert scheduler.levels()[:3] == (1, 3, 9)


def test_maximised_values_are_shown_as_they_were_reported() -> None:
    asked = contest(OPTIONS, method="auto", goal="maximize")
    meeting = Meeting(FreezeThaw(asked), asked, curve=lambda n, s: (-100.0 - n / 7 - s,), trials=8, workers=2).go()
    shown = [c.reason.data["predicted"] for c in meeting.commands() if "predicted" in c.reason.data]
    assert shown
    assert min(shown) > 50


def test_what_is_forgotten_while_it_waits_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rung.schedule.auto.scheduler.MOST", 8)
    monkeypatch.setattr("rung.schedule.auto.scheduler.THINNED", 4)
    asked = contest(OPTIONS, method="auto")
    scheduler = FreezeThaw(asked)
    ended: list[int] = []
    for number in range(16):
        found = scheduler.observe([Begun(number, {"lr": 10 ** (-number / 4), "width": 1 + number})])
        found += scheduler.observe([Progress(number, 3.0, (number + 1.0,), (number + 1.0,))])
        scheduler.observe([Held(number)])
        ended += [command.trial for command in found if isinstance(command, Stop) and command.trial != number]
    assert ended
    assert len(scheduler.curves) <= 9


def test_a_held_trial_is_thawed_with_its_forecast() -> None:
    meeting = bowled()
    thawed = [place for place in meeting.begun if isinstance(place, Continue)]
    assert thawed
    assert all(place.to in (3, 6, 13, 27) and "goes on to epoch" in place.reason.text for place in thawed)


@pytest.mark.parametrize("name", ["min", "max", "eta", "initial", "checkpoint"])
def test_bad_options_say_what_would_be_right(name: str) -> None:
    asked = contest({}, method="auto")
    schedule = msgspec.structs.replace(asked.schedule, options={name: "x"})
    with pytest.raises(BadInput, match="expected"):
        FreezeThaw(msgspec.structs.replace(asked, schedule=schedule))


def test_no_held_trial_is_run_on_only_because_its_place_would_be_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the budget lets nothing begin, those that can hardly become the best are left where they are."""
    spared = bowled(trials=14)
    monkeypatch.setattr("rung.schedule.auto.scheduler.UNLIKELY", 0.0)
    all_run_on = bowled(trials=14)
    assert spared.work() < all_run_on.work()
    errors = [abs(math.log10(lr) + 2.0) for lr in spared.lrs]
    finished = [run.number for run in spared.runs if run.step == 27]
    assert min(errors[number] for number in finished) < min(errors) + 0.1
