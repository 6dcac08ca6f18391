"""How a trial of a Syne Tune script is started: `python script.py --k v ... --st_checkpoint_dir DIR`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from rung.dialects.shims import shim_environment
from rung.dialects.synetune.importing import python
from rung.execute.base import Launch
from rung.inside import wire
from rung.model import BadInput
from rung.space import template

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rung.execute.base import Place

CONFIG = "config.json"
_ALL = frozenset({"{rest}", "{params}"})
_NEGATIVE = re.compile(r"-(\d+|\d*\.\d+)")  # what argparse takes for a number and not for an option


def launch(
    settings: Mapping[str, Any], params: Mapping[str, Any], place: Place, *, command: Sequence[str] | None = None
) -> Launch:
    """The trial's command line, environment and files.

    `settings`: `script` (its path), `json` (whether it takes its configuration as a JSON file), `max_resource` (the
    parameter that says how far it goes; it is set to the next rung where a schedule has one), `arguments` (given to
    every trial), `checkpoints` (whether it takes their folder; where it does not say: yes). `command`: our template of
    a command line, which stands for script and arguments. Checkpoints are kept in the attempt's working copy.
    """
    params = _up_to(dict(params), settings.get("max_resource"), place.resource)
    if command is None:
        argv, named = [settings.get("python") or python(), settings["script"], *settings.get("arguments", ())], set()
    else:
        own = [word for word in command if word not in _ALL]
        argv, named = template.render(own, params), set(template.placeholder_names(own))
    files = {}
    if settings.get("json"):
        files[CONFIG] = json.dumps(params)
        argv += ["--st_config_json_filename", f"{place.directory}/{CONFIG}"]
    else:
        argv += [word for name, value in params.items() if name not in named for word in words(name, value)]
    if settings.get("checkpoints", True):
        argv += ["--st_checkpoint_dir", f"{place.directory}/{wire.WORKING_COPY}"]
    return Launch(argv=tuple(argv), env=shim_environment("synetune", "syne_tune", argv, place.cwd), files=files)


def _up_to(params: dict[str, Any], name: str | None, resource: float | None) -> dict[str, Any]:
    """The parameters, the one called `name` set to where the trial is looked at next, if that is not beyond it."""
    own = None if name is None else params.get(name)
    beyond = isinstance(own, (int, float)) and resource is not None and resource > own
    if name is not None and name in params and resource is not None and not beyond:
        params[name] = int(resource) if float(resource).is_integer() else resource
    return params


def words(name: str, value: Any) -> list[str]:
    """`--name value`; one word where the value would be taken for another option. Lists and dictionaries are JSON."""
    text = json.dumps(value) if isinstance(value, (list, tuple, dict)) else str(value)
    if "\0" in text:
        raise BadInput("a value with a NUL character cannot be passed as an argument", key=name)
    if text.startswith("-") and not _NEGATIVE.fullmatch(text):
        return [f"--{name}={text}"]
    return [f"--{name}", text]
