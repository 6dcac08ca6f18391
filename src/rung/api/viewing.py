"""What a study shows of itself: its views, and all trials as a data frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import threading

    from rung.api.handle import Handle


class Viewed:
    """The reading side of `rung.Study` that the web page has too."""

    _handle: Handle
    _lock: threading.RLock

    def _refresh(self) -> None:
        raise NotImplementedError

    def view(self, name: str, **options: Any) -> Any:
        """What a plot of the page shows, as plain lists and dicts: `study.view("history", over="time")`. The same as
        `rung view` and REST give as JSON; docs/views.md has the views and their options."""
        from rung.analysis.views import plain, show

        with self._lock:
            self._refresh()
            return plain(show(self._handle, name, **options))

    def rows(self, *, where: str = "", sort: str = "") -> list[dict[str, Any]]:
        """The trials for which the filter expression `where` holds, sorted by the column `sort` (`-` before it: the
        other way round), as the table of the page and `rung trials --json` show them. Raises `BadInput`."""
        from rung.analysis import filtering, trialtable

        with self._lock:
            self._refresh()
            state = self._handle.state
            mask = filtering.matching(state, where) if where.strip() else None
            return trialtable.rows(state, trialtable.order(state, sort, mask).tolist())

    def dataframe(self) -> Any:
        """All trials as a pandas or polars data frame, whichever is installed; else as a dict of columns."""
        from rung.analysis.records import data_frame

        self._refresh()
        return data_frame(self._handle.state)

    def _repr_html_(self) -> str:
        """How a notebook shows the study."""
        from rung.api.notebook import notebook_html

        with self._lock:
            self._refresh()
            return notebook_html(self._handle)
