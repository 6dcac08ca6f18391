"""What people look at, as plain data: one function a view, the same for command line, Python, REST and the page.

A view is a function of a study and of keyword options; it returns a record (`msgspec.Struct`) that goes on every wire
as it is. `views()` names them all. Options that many views share, and what they mean wherever they occur:

* `where`: a filter expression (`rung.analysis.filtering`): the view shows the trials that it holds for; "": all.
* `marks`: at most so many marks are given; the record's `shown` and `of` say what was left out.

Trials stand in a view as columns: lists of one length, since 5,000 marks of objects are four times as many bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Protocol

import msgspec

from rung.model import BadInput
from rung.space.errors import did_you_mean, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from rung.analysis.views.options import Option
    from rung.model import Report
    from rung.study import events as ev
    from rung.study.state import State

MOST_MARKS = 5_000

Where = Annotated[str, msgspec.Meta(description="Only trials that this expression holds for; empty: all.")]
Marks = Annotated[
    int, msgspec.Meta(description="At most so many marks; `shown` and `of` say what was left out.", ge=1, le=MOST_MARKS)
]


class Readable(Protocol):
    """What a view may ask of a study. `rung.api.handle.Handle` is one."""

    state: State

    def reports(self, number: int) -> list[Report]:
        """A trial's whole curve."""
        ...

    def story(self, number: int | None = None) -> Iterator[tuple[int, ev.AnyEvent]]:
        """The events of one trial, or of all, with their sequence numbers."""
        ...

    def entries(self, *, after: int = 0, trial: int | None = None) -> Iterable[tuple[int, bytes]]:
        """The events after a sequence number as the log has them, JSON that is not decoded; of one trial, or of all."""
        ...


class View(NamedTuple):
    """One view: its name everywhere, what it shows in one line, and the function that makes its record."""

    name: str
    about: str
    make: Callable[..., Any]

    @property
    def options(self) -> tuple[Option, ...]:
        """The options of its function."""
        from rung.analysis.views.options import options_of

        return options_of(self.make)


def views() -> Mapping[str, View]:
    """All views by name, in the order in which a person looks at them."""
    # The views load numpy and each other's parts: whoever only asks for `Readable` or the marks does not need them.
    from rung.analysis.views.contours import contour
    from rung.analysis.views.curves import curves
    from rung.analysis.views.edf import edf
    from rung.analysis.views.history import history
    from rung.analysis.views.importance import importance
    from rung.analysis.views.parallel import parallel
    from rung.analysis.views.pareto import pareto
    from rung.analysis.views.progress import progress
    from rung.analysis.views.rungs import rungs
    from rung.analysis.views.slices import slices
    from rung.analysis.views.timeline import timeline
    from rung.analysis.views.trials import trials

    found: tuple[View, ...] = (
        View("progress", "how far it is: trials by state, time left, work saved, the best, who works on it", progress),
        View("history", "every trial's value, and the best so far", history),
        View("curves", "learning curves", curves),
        View("parallel", "trials as lines over parameters and objectives", parallel),
        View("importance", "what each parameter explains of the objective, with intervals", importance),
        View("slice", "the objective over each parameter alone", slices),
        View("contour", "the objective over two parameters", contour),
        View("edf", "how the trials' values are distributed", edf),
        View("pareto", "what no other trial beats in all objectives, and the hypervolume over trials", pareto),
        View("rungs", "brackets and rungs: who was stopped, held and let go on, and against what", rungs),
        View("timeline", "who worked when: attempts in lanes, runners, gaps", timeline),
        View("trials", "the trials themselves: filtered, sorted and cut", trials),
    )
    return {view.name: view for view in found}


def find_view(name: str) -> View:
    """The view of that name. Raises `BadInput` naming those that there are."""
    known = views()
    if name not in known:
        raise BadInput(f"no view {shown(name)}{did_you_mean(name, known)}; there are {', '.join(known)}")
    return known[name]


def show(study: Readable, name: str, **options: Any) -> Any:
    """The view's record. Options are values of their types, or text. Raises `BadInput` for an unknown view or option,
    and for a value that cannot be used."""
    from rung.analysis.views.options import chosen

    view = find_view(name)
    return view.make(study, **chosen(view.make, options, view=name))


def plain(record: Any) -> Any:
    """A view's record as the lists, dicts, texts and numbers that its JSON holds."""
    return msgspec.json.decode(msgspec.json.encode(record))
