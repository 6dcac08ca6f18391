"""What the plots of a page draw, read from the charts themselves: the data they hold and the shapes they made of them.

A chart is reached through the component that keeps it (`Chart` in web/src/plots/chart.tsx): React hangs its nodes on
the elements of the page.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from playwright.sync_api import Locator

# Shapes are given in the axes' own numbers: a rectangle by two corners, a line by its points.
READ = """
card => [...card.querySelectorAll("[_echarts_instance_]")].map(box => {
  const chart = chartOf(box);
  const back = point => chart.convertFromPixel({ xAxisIndex: 0, yAxisIndex: 0 }, point);
  const { series, xAxis = [], yAxis = [] } = chart.getOption();
  return {
    label: box.getAttribute("aria-label"),
    names: [xAxis[0]?.data, yAxis[0]?.data].find(Boolean) ?? [],
    series: Object.fromEntries(series.map((one, at) => {
      const data = one.data ?? [];
      const held = chart.getModel().getSeriesByIndex(at).getData();
      const shapes = one.type !== "custom" ? [] : data.map((_, index) => {
        const drawn = held.getItemGraphicEl(index);
        return drawn == null ? [] : (drawn.isGroup ? drawn.children() : [drawn]).map(part => {
          const { points, x, y, width, height, x1, y1, x2, y2, cx, cy } = part.shape;
          const corners = points ?? (width !== undefined ? [[x, y], [x + width, y + height]]
            : cx !== undefined ? [[cx, cy]] : [[x1, y1], [x2, y2]]);
          return { type: part.type, at: corners.map(back), colour: part.style.fill };
        });
      });
      return [one.id, { data, shapes, colour: one.itemStyle?.color ?? null }];
    })),
  };
  function chartOf(box) {
    const key = Object.keys(box).find(name => name.startsWith("__reactFiber$"));
    for (let node = box[key]; node !== null; node = node.return) {
      if (typeof node.type !== "function") continue;
      for (let hook = node.memoizedState; hook !== null; hook = hook.next) {
        if (typeof hook.memoizedState?.current?.getOption === "function") return hook.memoizedState.current;
      }
    }
    throw new Error("no chart");
  }
})
"""


class Drawn(NamedTuple):
    """A chart. `series`: by name, the `data` it holds, and the `shapes` of each datum where a plot draws its own;
    `names`: the words along its axis of categories."""

    label: str
    names: list[str]
    series: dict[str, dict[str, Any]]

    def data(self, name: str) -> list[Any]:
        """The data of a series."""
        found: list[Any] = self.series[name]["data"]
        return found

    def marks(self) -> dict[int, tuple[float, float]]:
        """Where the mark of each trial is: points `[x, y, trial]` of any kind."""
        kinds = [one["data"] for name, one in self.series.items() if name.startswith("kind:") or name == "dim"]
        points = [point for data in kinds for point in data]
        found = {int(trial): (x, y) for x, y, trial in points}
        assert len(found) == len(points), "each trial has one mark"
        return found


def charts(card: Locator) -> list[Drawn]:
    """The charts within an element, drawn, in the order of the page."""
    card.scroll_into_view_if_needed()
    card.locator("canvas").first.wait_for()
    return [Drawn(one["label"], one["names"], one["series"]) for one in card.evaluate(READ)]
