"""A step's parameters: what values they take, in the original's words where they do not, and how they are passed."""

from __future__ import annotations

import math
import string
from typing import TYPE_CHECKING, Any

import msgspec

from rung.model import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WIDEST = 1000  # characters that a format may ask for


class Refused(Exception):
    """A value that a parameter does not take; `errors` are all that is wrong with it."""

    def __init__(self, errors: Sequence[str]) -> None:
        self.errors = tuple(errors)
        super().__init__(", ".join(errors))


class ParameterItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of `step.parameters`; see the format's own documentation for what each key means."""

    name: str
    type: str = "string"
    default: Any = None
    optional: bool = False
    pass_as: str | None = None
    pass_true_as: str | None = None
    pass_false_as: str | None = None
    choices: list[Any] | None = None
    min: float | int | None = None
    max: float | int | None = None
    multiple: str | None = None
    multiple_separator: str = ","

    @property
    def is_flag(self) -> bool:
        """Whether it is either passed or not."""
        return self.type == "flag"

    @property
    def is_required(self) -> bool:
        """Whether an execution needs a value that the file does not give."""
        return self.default is None and not self.optional and not self.is_flag

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers."""
        return self.type in {"integer", "float"}

    def validate(self, value: Any) -> Any:
        """The value, as the parameter's type; a list where the parameter takes several.

        Raises `Refused`.
        """
        errors: list[str] = []
        if self.multiple is None and isinstance(value, list):
            errors.append("Only a single value is allowed")
        if value is None:
            errors.append("No value supplied")
        values = [self.checked(atom, errors) for atom in listed(value)]
        if errors:
            raise Refused(errors)
        return values if self.multiple is not None else values[0]

    def checked(self, atom: Any, errors: list[str]) -> Any:
        """The value as the parameter's type; what is wrong with it is in `errors`."""
        atom = self.typed(atom, errors)
        self.within(atom, errors)
        return atom

    def within(self, atom: Any, errors: list[str]) -> None:
        """Bounds and choices that the value breaks are in `errors`."""
        number = isinstance(atom, (int, float))
        if number and self.min is not None and atom < self.min:
            errors.append(f"{atom} is less than the minimum allowed ({self.min})")
        if number and self.max is not None and atom > self.max:
            errors.append(f"{atom} is greater than the maximum allowed ({self.max})")
        choices = [True, False] if self.is_flag else self.choices
        if choices and not any(atom == choice for choice in choices):
            errors.append(f"{atom} is not among the choices allowed ({choices!r})")

    def typed(self, atom: Any, errors: list[str]) -> Any:
        """The value as a number where the parameter is one; what is wrong with it is in `errors`."""
        kinds: dict[str, tuple[Any, str]] = {
            "integer": (lambda text: int(text, 10), "an integer"), "float": (float, "a floating-point number"),
        }  # fmt: skip
        if self.type not in kinds:
            return atom
        read, what = kinds[self.type]
        try:
            return read(str(atom))
        except ValueError:
            errors.append("No value supplied" if atom == "" else f"{atom} is not {what}")
            return atom

    def arguments(self, value: Any) -> list[str]:
        """The words by which the value is passed to a program, not quoted; none where it is not passed.

        Raises `BadInput` for a list where one value is wanted, and for `pass-as` with an unknown placeholder.
        """
        template = self._template(value)
        if not template or value is None:
            return []
        bits = template.split()
        if self.multiple == "repeat":
            return [self._filled(bit, atom) for atom in listed(value) for bit in bits]
        if self.multiple == "separate":
            atoms = listed(value)
            joined = self.multiple_separator.join(str(atom) for atom in atoms)
            return [self._filled(bit, joined) for bit in bits] if atoms else []
        if isinstance(value, list):
            raise BadInput(f"list value {value!r} for non-multiple parameter {self.name!r} not allowed", key=self.name)
        return [self._filled(bit, value) for bit in bits]

    def _template(self, value: Any) -> str | None:
        if self.is_flag and (self.pass_true_as or self.pass_false_as):
            return self.pass_true_as if value else self.pass_false_as
        if self.is_flag and not value:
            return None
        return self.pass_as or ("--{name}" if self.is_flag else "--{name}={value}")

    def _filled(self, bit: str, value: Any) -> str:
        try:
            return _Plain().vformat(bit, (), {"name": self.name, "value": value, "v": value})
        except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
            what = f"knows no placeholder {error}" if isinstance(error, KeyError) else f"cannot be used: {error}"
            raise BadInput(f"{bit!r} {what}; write {{name}}, {{value}} or {{v}}", key=f"{self.name}.pass-as") from None


class _Plain(string.Formatter):
    """Python's formatting of texts and numbers, without a way into them."""

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        if not field_name.isidentifier():
            raise KeyError(field_name)
        return kwargs[field_name], field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        digits = "".join(char if char.isdigit() else " " for char in format_spec).split()
        if any(len(part) > 4 or int(part) > _WIDEST for part in digits):
            raise ValueError(f"more than {_WIDEST} characters")
        return str(super().format_field(value, format_spec))


def listed(value: Any) -> list[Any]:
    """The value as a list: nothing is an empty one, a single value a list of one."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def read_parameter(tree: Mapping[str, Any]) -> ParameterItem:
    """The parameter that an item of `step.parameters` describes, which fits the schema. Raises `ValueError`."""
    multiple = tree.get("multiple") if tree.get("multiple") not in {None, "none"} else None
    if tree.get("type") == "flag" and multiple:
        raise ValueError("Flag parameters can't be multiple")
    default = plain(tree.get("default"))
    return ParameterItem(
        name=tree["name"],
        type=tree.get("type", "string"),
        default=listed(default) if multiple else default,
        optional=bool(tree.get("optional")),
        pass_as=tree.get("pass-as"),
        pass_true_as=tree.get("pass-true-as") if tree.get("type") == "flag" else None,
        pass_false_as=tree.get("pass-false-as") if tree.get("type") == "flag" else None,
        choices=plain(tree["choices"]) if tree.get("choices") else None,
        min=plain(tree.get("min")),
        max=plain(tree.get("max")),
        multiple=multiple,
        multiple_separator=tree.get("multiple-separator") or ",",
    )


def plain(value: Any) -> Any:
    """The value as JSON can carry it: dates and the like are the text that they are passed as."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
