"""The search space: what searchers, policies and front ends use of this room.

Three forms of a configuration: a *unit row* (float64 in 0..1, NaN where inactive), for models; a *value row* (float64,
exact), for storage; and a dict of Python values, for people and programs. Parameters whose `when` does not hold, or
whose `times` is inactive, are inactive and absent. Constants are in none of the three; `full` adds them.
"""

from __future__ import annotations

import json
import math
import struct
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from rung.space import encoding
from rung.space.axes import Axis, json_key
from rung.space.checking import canonical, default_draw, middle_draw, refuse_missing
from rung.space.errors import SpaceError
from rung.space.grid import count, grid, infinite
from rung.space.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from rung.model import Parameter
    from rung.space.scales import Floats

MAX_DRAWS = 100_000


class Space:
    """Parameters and constraints, checked and compiled.

    Raises SpaceError, whose `parameter` and `field` name the offender.
    """

    def __init__(self, parameters: Sequence[Parameter], constraints: Sequence[str] = ()) -> None:
        self._layout = Layout(parameters, constraints)
        self.parameters = tuple(parameters)
        self.constraints = tuple(constraints)
        self.constants: dict[str, Any] = self._layout.constants
        self.names: tuple[str, ...] = tuple(self._layout.by_name)
        self.axes: tuple[Axis, ...] = tuple(part.axis for part in self._layout.parts)
        self._order = tuple(parameter.name for parameter in parameters)

    def __repr__(self) -> str:
        return f"Space({', '.join(self._order)})"

    @property
    def resolved(self) -> tuple[str, ...]:
        """The searched names in an order in which each stands after those that its condition and its factor need."""
        return tuple(part.name for part in self._layout.order)

    # ---------------------------------------------------------------------------------------------------------- size

    @cached_property
    def _count(self) -> tuple[int | None, bool]:
        return (None, True) if infinite(self._layout) else count(self._layout)

    @property
    def size(self) -> int | None:
        """Number of distinct valid configurations; None: infinitely many. An upper bound unless `size_exact`."""
        return self._count[0]

    @property
    def size_exact(self) -> bool:
        """Whether `size` took conditions and constraints into account (it does up to 200,000 steps of counting)."""
        return self._count[1]

    def values(self, name: str) -> list[Any] | None:
        """All draws of the parameter `name` in order (before `times`); None when there are more than 10,000."""
        if name in self.constants:
            return [self.constants[name]]
        axis = self._layout.by_name[name].axis
        return None if axis.size is None or axis.size > 10_000 else [axis.at(index) for index in range(axis.size)]

    def whole(self, name: str) -> bool:
        """Whether the values of the searched parameter `name` are ints."""
        return self._layout.by_name[name].whole

    def grid(self, *, backwards: bool = False) -> Iterator[dict[str, Any]]:
        """Every valid configuration once, in the order given (or `backwards`), the last parameter fastest.

        Raises SpaceError naming the parameters with infinitely many values.
        """
        return grid(self._layout, backwards=backwards)

    # ------------------------------------------------------------------------------------------------------ sampling

    def sample(self, rng: np.random.Generator, n: int = 1) -> Floats:
        """(n, d) unit rows, uniform under the constraints, NaN where inactive.

        Raises SpaceError when no draw out of 100,000 in a row keeps the constraints.
        """
        if self._layout.plain:
            return rng.random((n, len(self.names)))
        if n == 1:
            return self._sample_one(rng)
        return self._sample_many(rng, n)

    def _sample_one(self, rng: np.random.Generator) -> Floats:
        layout = self._layout
        for _ in range(64):
            units = rng.random((1, len(self.names)))
            values = layout.one(units[0].tolist())
            if layout.broken(values) is None:
                for part in layout.parts:
                    if part.name not in values:
                        units[0, part.column] = math.nan
                return units
        return self._sample_many(rng, 1)

    def _sample_many(self, rng: np.random.Generator, n: int) -> Floats:
        layout = self._layout
        found: list[Floats] = []
        missing, in_vain = n, 0
        while missing > 0:
            units = rng.random(
                (min(max(2 * missing if found else missing, 256 if in_vain else 1), 16_384), len(self.names))
            )
            columns, active = layout.many(units, layout.mentioned)
            units[~active] = np.nan
            kept = units[layout.kept(columns, len(units))][:missing]
            in_vain = 0 if len(kept) else in_vain + len(units)
            if in_vain >= MAX_DRAWS:
                raise self._never_kept(in_vain)
            missing -= len(kept)
            found.append(kept)
        return np.concatenate(found) if found else np.empty((0, len(self.names)))

    def _never_kept(self, draws: int) -> SpaceError:
        texts = " and ".join(f"`{text}`" for text in self.constraints)
        return SpaceError(f"no draw out of {draws} keeps {texts}; loosen it, or narrow the ranges", field="constraints")

    # ------------------------------------------------------------------------------------------------------ encoding

    def decode(self, unit: Floats) -> list[dict[str, Any]]:
        """The configurations of (n, d) unit rows: active searched parameters in the order of declaration.

        Factors are applied. What is inactive is ignored; NaN where active counts as 0.5.
        """
        return encoding.decode(self._layout, self._matrix(unit))

    def encode(self, configs: Sequence[Mapping[str, Any]]) -> Floats:
        """(n, d) unit rows of canonical configurations, NaN for what is absent.

        `decode(encode(c)) == c` for each c that decoding produces, for all values of discrete parameters, and for
        numbers with few digits; a number with 16 or 17 digits may have no unit of its own, then the nearest is given.
        Values beyond the bounds count as the bound. Raises SpaceError for values of a choice that are not there.
        """
        return encoding.encode(self._layout, configs)

    def snap(self, unit: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """(n, d) unit rows as decoding reads them, and (n,) which of them keep every constraint.

        Discrete parameters stand at the centre of their bin, inactive ones are NaN: two rows are equal exactly when
        their discrete parts decode alike. NaN where active counts as 0.5.
        """
        return encoding.snap(self._layout, self._matrix(unit))

    def to_rows(self, configs: Sequence[Mapping[str, Any]]) -> Floats:
        """(n, d) float64 value rows: numbers as they are, the index of choices, NaN for what is absent. Exact."""
        return encoding.to_rows(self._layout, configs)

    def from_rows(self, rows: Floats) -> list[dict[str, Any]]:
        """The configurations of value rows; the inverse of `to_rows`."""
        return encoding.from_rows(self._layout, self._matrix(rows))

    def _matrix(self, rows: Floats) -> Floats:
        matrix = np.asarray(rows, dtype=np.float64)
        if matrix.ndim != 2 or matrix.shape[1] != len(self.names):
            raise ValueError(f"expected an array of shape (n, {len(self.names)}), got {matrix.shape}")
        return matrix

    # -------------------------------------------------------------------------------------------------- configurations

    def defaults(self) -> dict[str, Any]:
        """Each active parameter's default, or its middle. Raises SpaceError when that breaks a constraint."""
        return canonical(self._layout, {}, default_draw)

    def middle(self) -> dict[str, Any]:
        """Each active parameter's middle on its scale (a choice's first value).

        Raises SpaceError when that breaks a constraint.
        """
        return canonical(self._layout, {}, middle_draw)

    def allows(self, params: Mapping[str, Any]) -> bool:
        """Whether a canonical configuration keeps every constraint."""
        return self._layout.broken(self.full(params)) is None

    def check(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The canonical configuration that `params` means.

        "3" and 3.0 become 3 for an int; values of choices are found by value or text. Constants may be overridden,
        and are there when they differ.

        Raises SpaceError for an unknown, inactive, missing or unfitting parameter, and for a broken constraint.
        """
        return self._in_order(canonical(self._layout, params, refuse_missing))

    def complete(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """`check`, with defaults (or middles) for active parameters that are missing."""
        return self._in_order(canonical(self._layout, params, default_draw))

    def adopt(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """`complete`, without the parameters that are inactive: for configurations that were made for another space."""
        return self._in_order(canonical(self._layout, params, default_draw, lenient=True))

    def full(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """What a trial receives: constants and `params`, in the order of declaration."""
        merged = {**self.constants, **params}
        return self._in_order(merged)

    def _in_order(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return {name: params[name] for name in self._order if name in params}

    def fingerprint(self, params: Mapping[str, Any]) -> bytes:
        """Equal exactly for equal configurations (constants that are overridden with another value count)."""
        numbers = encoding.to_rows(self._layout, [params])[0] + 0.0  # -0.0 is 0.0
        changed = {
            name: params[name]
            for name, own in self.constants.items()
            if name in params and json_key(params[name]) != json_key(own)
        }
        rest = json.dumps(changed, sort_keys=True).encode() if changed else b""
        return struct.pack(f"<{len(numbers)}d", *numbers.tolist()) + rest

    def fingerprints(self, rows: Floats) -> list[bytes]:
        """`fingerprint` of each of the (n, d) value rows, constants as declared."""
        raw = (self._matrix(rows) + 0.0).astype("<f8").tobytes()  # -0.0 is 0.0
        width = 8 * len(self.names)
        return [raw[begin : begin + width] for begin in range(0, len(raw), width)] if width else [b""] * len(rows)
