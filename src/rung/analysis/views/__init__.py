"""What people look at, as plain data: one function a view, the same for command line, Python, REST and the page.

A view is a function of a study and of keyword options; it returns a record (`msgspec.Struct`) that goes on every wire
as it is. `views()` names them all. Options that many views share, and what they mean wherever they occur:

* `where`: a filter expression (`rung.analysis.filtering`): the view shows the trials that it holds for; "": all.
* `marks`: at most so many marks are given; the record's `shown` and `of` say what was left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rung.model import Report
    from rung.study import events as ev
    from rung.study.state import State

MOST_MARKS = 5_000


class Readable(Protocol):
    """What a view may ask of a study. `rung.api.handle.Handle` is one."""

    state: State

    def reports(self, number: int) -> list[Report]:
        """A trial's whole curve."""
        ...

    def story(self, number: int | None = None) -> Iterator[tuple[int, ev.AnyEvent]]:
        """The events of one trial, or of all, with their sequence numbers."""
        ...


class View(NamedTuple):
    """One view: its name everywhere, what it shows in one line, and the function that makes its record."""

    name: str
    about: str
    make: Callable[..., Any]


def views() -> Mapping[str, View]:
    """All views by name, in the order in which a person looks at them."""
    found: tuple[View, ...] = ()
    return {view.name: view for view in found}
