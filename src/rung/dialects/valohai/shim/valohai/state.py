"""What an execution was given: of the command line first, then of the configuration files, then of `prepare`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class State:
    """The values of parameters and inputs, read when they are first asked for."""

    def __init__(self) -> None:
        self.step = "default"
        self.parameters: dict[str, Any] = {}
        self.inputs: dict[str, Any] = {}
        self.is_read = False

    def read(self, parameters: Mapping[str, Any] | None = None, inputs: Mapping[str, Any] | None = None) -> None:
        """Values are known; those given here count where nothing else says more."""
        self.parameters = {**_defaults(parameters), **_configured("parameters.json")}
        self.inputs = {**_defaults(inputs), **_configured("inputs.json")}
        said, files = _from_command_line(self.parameters, self.inputs)
        self.parameters.update(said)
        self.inputs.update(files)
        self.is_read = True


_state = State()


def current() -> State:
    """The state of this process."""
    if not _state.is_read:
        _state.read()
    return _state


def prepare(
    *,
    step: str = "default",
    default_parameters: Mapping[str, Any] | None = None,
    default_inputs: Mapping[str, Any] | None = None,
    image: str | None = None,
    environment: str | None = None,
    multifile: bool = False,
    upload_store: str | None = None,
) -> None:
    """The step's name, parameters and inputs are known. Raises `ValueError` for a definition without a default."""
    del image, environment, multifile, upload_store  # where it runs is Rung's business
    _state.step = step
    _state.read(default_parameters, default_inputs)


def _defaults(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The default of each name: the value itself, or the `default` of a definition."""
    found = {}
    for name, value in (given or {}).items():
        if isinstance(value, dict):
            if "default" not in value:
                raise ValueError(f"{name}: a definition needs a `default`")
            value = value["default"]  # noqa: PLW2901 - the value is what the definition says
        found[name] = value
    return found


def _configured(name: str) -> dict[str, Any]:
    path = os.path.join(os.environ.get("VH_CONFIG_DIR", ".valohai/config"), name)  # noqa: PTH118 - quick to import
    if not os.path.isfile(path):  # noqa: PTH113
        return {}
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        found = json.load(file)
    return found if isinstance(found, dict) else {}


def _from_command_line(
    parameters: Mapping[str, Any], inputs: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    places = {f"p{i}": name for i, name in enumerate(parameters)}
    for place, name in places.items():
        value, kind = parameters[name], type(parameters[name])
        if isinstance(value, bool):
            parser.add_argument(f"--{name}", dest=place, type=_truth, nargs="?", const=True)
        elif isinstance(value, list):
            parser.add_argument(f"--{name}", dest=place, type=lambda text: text.split(","))
        else:
            parser.add_argument(f"--{name}", dest=place, type=kind if kind in {int, float} else str)
    files = {f"i{i}": name for i, name in enumerate(inputs) if name not in parameters}
    for place, name in files.items():
        parser.add_argument(f"--{name}", dest=place, nargs="+")
    known, unknown = parser.parse_known_args()
    for word in unknown:
        sys.stderr.write(f"Warning: Unexpected command-line argument {word} found.\n")
    said = {name: getattr(known, place) for place, name in places.items() if getattr(known, place) is not None}
    given = {name: getattr(known, place) for place, name in files.items() if getattr(known, place) is not None}
    return said, given


def _truth(text: str) -> bool:
    word = text.strip().lower()
    if word in {"yes", "true", "t", "y", "1", "on"}:
        return True
    if word in {"no", "false", "f", "n", "0", "off", ""}:
        return False
    raise argparse.ArgumentTypeError(f"expected yes or no, got {text!r}")


class Parameter:
    """A parameter of the execution."""

    def __init__(self, name: str, default: Any = None) -> None:
        self.name, self.default = str(name), default

    @property
    def value(self) -> Any:
        """Its value; the default given here where it has none."""
        return current().parameters.get(self.name, self.default)


parameters = Parameter
