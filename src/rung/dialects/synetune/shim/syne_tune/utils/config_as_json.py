"""A configuration in a JSON file, for values that no command line can carry: lists, dictionaries, long texts."""

from __future__ import annotations

import json

from ..constants import ST_CHECKPOINT_DIR, ST_CONFIG_JSON_FNAME_ARG

TYPE_CHECKING = False  # importing typing costs every trial 3 ms
if TYPE_CHECKING:
    import argparse
    from typing import Any


def add_config_json_to_argparse(parser: argparse.ArgumentParser) -> None:
    """The script takes the name of a JSON file with its configuration, and the folder for checkpoints."""
    parser.add_argument(f"--{ST_CONFIG_JSON_FNAME_ARG}", type=str, required=True)
    known = {option for action in parser._actions for option in action.option_strings}
    if f"--{ST_CHECKPOINT_DIR}" not in known:
        parser.add_argument(f"--{ST_CHECKPOINT_DIR}", type=str)


def load_config_json(args: dict[str, Any]) -> dict[str, Any]:
    """What the file says, under `args`: `load_config_json(vars(parser.parse_args()))`. An argument that was not given
    (None) hides nothing."""
    with open(args[ST_CONFIG_JSON_FNAME_ARG], encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs 4 ms to import
        config = json.load(file)
    given = {name: value for name, value in args.items() if value is not None or name not in config}
    return {**config, **given}
