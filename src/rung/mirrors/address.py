"""Mirror addresses: `KIND:TARGET`, `KIND:TARGET#NAME`.

`KIND` names the other tool. `NAME` is what the study is called there; the study's own name where none is given. `$NAME`
and `${NAME}` stand for environment variables, so that a password is neither in the log nor on the screen.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from rung.model import BadInput

if TYPE_CHECKING:
    from pathlib import Path

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_PASSWORD = re.compile(r"(://[^/@:]*):[^/@]*@")
_RELATIVE = re.compile(r"(?:sqlite|journal)(?:\+\w+)?:///(?=[^/:?])")  # of a file; sqlite:///:memory: is none


class Target(NamedTuple):
    """Where a record is kept, and under which name there (None: the study's own)."""

    url: str
    name: str | None


def kind_of(address: str) -> str:
    """The other tool's word. Raises `BadInput`."""
    kind, colon, rest = address.partition(":")
    if not (kind and colon and rest.partition("#")[0].strip()):
        raise BadInput(
            "expected KIND:ADDRESS, such as optuna:sqlite:///optuna.db or mlflow:http://localhost:5000",
            place=f"--mirror {shown(address)}",
        )
    return kind


def target(address: str) -> Target:
    """What follows `KIND:`, with its variables filled in. Raises `BadInput` for one that is not set."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name not in os.environ:
            raise BadInput(f"the environment variable {name} is not set", place=f"--mirror {address}")
        return os.environ[name]

    rest = _VARIABLE.sub(value, address.partition(":")[2])
    url, _, name = rest.partition("#")
    return Target(url.strip(), name.strip() or None)


def shown(address: str) -> str:
    """The address without its password."""
    return _PASSWORD.sub(r"\1:***@", address)


def absolute(address: str, folder: Path) -> str:
    """The address with a relative file of it counted from `folder`: a study may be resumed from anywhere."""
    kind, colon, rest = address.partition(":")
    url, sharp, name = rest.partition("#")
    relative = _RELATIVE.match(url)
    if relative is not None:
        url = f"{relative[0]}{folder / url[relative.end() :]}"
    elif url and is_path(url):
        url = str(folder / url)
    return f"{kind}{colon}{url}{sharp}{name}"


def is_path(url: str) -> bool:
    """Whether it is a plain path: no scheme, and more than a word (`databricks` is MLflow's name of a server)."""
    return ":" not in url and not url.startswith("$") and ("/" in url or "." in url)
