"""Editing the space of a study in a store."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from rung.api import edits
from rung.api.creation import create_or_continue
from rung.api.handle import Handle
from rung.model import BadInput, Parameter, SearchSpec
from rung.runner.log import entry
from rung.study import events as ev
from rung.testing.studies import PARAMETERS, STUDY, World, study_spec

SMALL = (Parameter(name="a", type="choice", values=("x", "y")), Parameter(name="b", type="int", min=1, max=3))


def last(world: World) -> Any:
    return world.events[-1]


def test_an_edit_of_the_space_is_logged_with_what_it_changed_only(world: World, handle: Handle) -> None:
    changes = handle.edit([("parameters.width.max", "32"), ("parameters.opt.values", "[sgd, adam, lion]")])
    assert changes == [
        ev.Change("parameters.width.max", 64, 32),
        ev.Change("parameters.opt.values", ["sgd", "adam"], ["sgd", "adam", "lion"]),
    ]
    event = last(world)
    assert [p.name for p in event.parameters] == ["width", "opt"]
    assert (event.budget, event.run, event.constraints) == (None, None, None)
    assert event.who.startswith("cli:")
    assert handle.state.space.values("width") == [8, 16, 24, 32]
    world.catch_up()
    world.run()
    assert world.state.counts["complete"] == 4


def test_settings_and_space_at_once(world: World, handle: Handle) -> None:
    handle.edit([("budget.trials", "9"), ("constraints", "[width >= 16]"), ("parameters.lr.max", "1")])
    event = last(world)
    assert (event.budget.trials, event.constraints, event.run) == (9, ("width >= 16",), None)
    assert handle.edit([("parameters.lr.max", "1.0")]) == []
    assert handle.edit([("constraints", "[]")])[0].path == "constraints"
    assert handle.state.spec.constraints == ()


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("parameters.lr.min", "1e-6", "min"),
        ("parameters.lr.scale", "linear", "scale"),
        ("parameters.width.step", "4", "step"),
        ("parameters.lr.default", "1e-3", "default"),
        ("parameters.momentum.when", "opt == 'adam'", "when"),
        ("parameters.width.min", "64", "min"),
    ],
)
def test_what_can_be_edited(handle: Handle, path: str, value: str, field: str) -> None:
    name = path.split(".")[1]
    handle.edit([(path, value)])
    after = next(p for p in handle.state.spec.parameters if p.name == name)
    before = next(p for p in PARAMETERS if p.name == name)
    assert getattr(after, field) != getattr(before, field)
    assert msgspec.structs.replace(after, **{field: getattr(before, field)}) == before


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("parameters.width.type", "float", r"parameters\.width\.type: cannot become float .*--from"),
        ("parameters.opt", "sgd", r"parameters\.opt\.type: cannot become constant"),
        ("parameters.epochs", "4", r"parameters\.epochs: is a constant, on which all results depend"),
        ("parameters.new", "{type: bool}", r"parameters\.new: cannot be added to a study that exists"),
        ("parameters", "{lr: {type: float, min: 0, max: 1}}", "epochs, momentum, opt, width cannot be taken from a"),
        ("parameters.width.max", "4", r"parameters\.width\.min: must be below max"),
        ("parameters.wdith.max", "4", r"parameters\.wdith: cannot be added|wdith"),
        ("constraints", "[width > 64]", r"constraints: no (configuration|draw out of \d+) keeps"),
        ("constraints", "[depth > 2]", "depth"),
        ("objective.goal", "maximize", r"--set objective\.goal: only budget\.\*, run\.\*, parameters\.\* and constr"),
        ("search.batch", "4", "only budget"),
        ("name", "other", "only budget"),
    ],
)
def test_what_cannot(world: World, handle: Handle, path: str, value: str, message: str) -> None:
    before = len(world.events)
    with pytest.raises(BadInput, match=message):
        handle.edit([("budget.trials", "77"), (path, value)])
    assert len(world.events) == before


def test_a_space_that_the_searcher_cannot_search_is_refused() -> None:
    world = World(study_spec(parameters=SMALL, search=SearchSpec(method="grid")))
    handle = Handle(world.store, STUDY)
    handle.edit([("parameters.b.max", "4")])
    world = World(study_spec(parameters=(Parameter(name="x", type="float", min=0, max=0),),
                             search=SearchSpec(method="grid")))  # fmt: skip
    with pytest.raises(BadInput, match="infinitely many"):
        Handle(world.store, STUDY).edit([("parameters.x.max", "1")])


def test_first_points_outside_of_the_edited_space_do_not_stand_in_its_way() -> None:
    points = tuple({"a": "x", "b": b} for b in (1, 2, 3))
    world = World(study_spec(parameters=SMALL, start=points))
    world.turn()
    handle = Handle(world.store, STUDY)
    handle.edit([("parameters.b.max", "2")])
    assert handle.state.spec.start == points
    assert edits.points_outside(handle.state) == 1
    assert edits.left_out(handle.state) == 0
    handle.edit([("parameters.b.min", "2"), ("parameters.a.values", "[z]")])
    assert edits.points_outside(handle.state) == 2
    assert edits.left_out(handle.state) == 1


def test_two_people_edit_different_parameters(world: World) -> None:
    ann, bob = Handle(world.store, STUDY), Handle(world.store, STUDY)
    ann.edit([("parameters.lr.max", "1")])
    bob.edit([("parameters.width.max", "32")])  # it reads what is new before it writes
    ann.refresh()
    assert [ann.state.spec.parameters[i].max for i in (0, 1)] == [1, 32]
    assert ann.state.spec == bob.state.spec
    assert len(ann.state.changes) == 2


def test_an_edit_that_another_one_makes_impossible_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's edit comes between reading and writing, and both together are no space."""
    numbers = Parameter(name="a", type="choice", values=(1, 2))
    world = World(study_spec(parameters=(numbers, SMALL[1])))
    handle = Handle(world.store, STUDY)
    other = ev.SpecChanged(at=0.0, changes=(), parameters=(SMALL[0],))
    change = handle.change

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        world.store.append(STUDY, [entry(other)])
        return change(*args, **kwargs)

    monkeypatch.setattr(handle, "change", interrupted)
    with pytest.raises(BadInput, match="edited by somebody else at the same time"):
        handle.edit([("constraints", "[a >= 1]")])
    world.catch_up()
    assert world.run().state.counts["complete"] == 4


def test_the_file_of_an_edited_study_is_another_search_until_it_is_edited_too(world: World, handle: Handle) -> None:
    handle.edit([("parameters.width.max", "32"), ("parameters.opt.values", "[adam]")])
    created = world.state.created
    with pytest.raises(BadInput) as caught:
        create_or_continue(world.store, created, stem="x")
    assert "parameters.width.max: was 32, is 64" in str(caught.value)
    way = 'rung edit study-1 --set parameters.width.max=64 --set \'parameters.opt.values=["sgd", "adam"]\''
    assert str(caught.value).endswith(way)
    spec = msgspec.structs.replace(created.spec, parameters=handle.state.spec.parameters)
    opened = create_or_continue(world.store, msgspec.structs.replace(created, spec=spec), stem="x")
    assert (opened.how, opened.changes) == ("continued", [])
