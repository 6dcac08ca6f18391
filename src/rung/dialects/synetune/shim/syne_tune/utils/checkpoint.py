"""Checkpoints of a training script: where they lie, and how a model is written there and read back."""

from __future__ import annotations

import json
import os

from ..constants import ST_CHECKPOINT_DIR

TYPE_CHECKING = False  # importing typing costs every trial 3 ms
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import Any

RESUME_FROM = "resume_from"


def add_checkpointing_to_argparse(parser: argparse.ArgumentParser) -> None:
    """The script takes the folder for its checkpoints."""
    known = {option for action in parser._actions for option in action.option_strings}
    if f"--{ST_CHECKPOINT_DIR}" not in known:
        parser.add_argument(f"--{ST_CHECKPOINT_DIR}", type=str)


def resume_from_checkpointed_model(config: dict[str, Any], load_model_fn: Callable[[str], int]) -> int:
    """The resource that was reached, to which `load_model_fn(folder)` has read the model back; 0 without checkpoint."""
    folder = config.get(ST_CHECKPOINT_DIR)
    if not folder or not os.path.isdir(folder) or not os.listdir(folder):  # noqa: PTH112, PTH208 - see `load_config_json`
        return 0
    return load_model_fn(folder)


def checkpoint_model_at_rung_level(
    config: dict[str, Any], save_model_fn: Callable[[str, int], Any], resource: int
) -> None:
    """`save_model_fn(folder, resource)` has written the model, at whatever resource this is called."""
    folder = config.get(ST_CHECKPOINT_DIR)
    if folder:
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - see `load_config_json`
        save_model_fn(folder, resource)


def pytorch_load_save_functions(
    state_dict_objects: dict[str, Any], mutable_state: dict[str, Any] | None = None, fname: str = "checkpoint.json"
) -> tuple[Callable[[str], int], Callable[[str, int], None]]:
    """The functions to load and to save what has a `state_dict`, and a dictionary of plain values beside it.

    A model's file is written under another name first: what is there is always whole. Loading gives the resource that
    was reached, 0 where nothing could be read.
    """

    def load_model_fn(folder: str) -> int:
        import torch

        try:
            with open(os.path.join(folder, fname), encoding="utf-8") as file:  # noqa: PTH118, PTH123 - see above
                plain = json.load(file)
            resource = int(plain.pop(RESUME_FROM))
            state = torch.load(_model(folder, fname), map_location="cpu")
            for name, value in state_dict_objects.items():
                value.load_state_dict(state[name])
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the file, training begins anew
            print(f"The checkpoint in {folder} cannot be read ({type(error).__name__}: {error}): beginning anew")  # noqa: T201
            return 0
        if mutable_state is not None:
            mutable_state.update(plain)
        return resource

    def save_model_fn(folder: str, resource: int) -> None:
        import torch

        os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - see above
        target = _model(folder, fname)
        torch.save({name: value.state_dict() for name, value in state_dict_objects.items()}, f"{target}.new")
        os.replace(f"{target}.new", target)  # noqa: PTH105 - see above
        plain = os.path.join(folder, fname)  # noqa: PTH118 - see above
        with open(f"{plain}.new", "w", encoding="utf-8") as file:  # noqa: PTH123 - see above
            json.dump({**(mutable_state or {}), RESUME_FROM: resource}, file)
        os.replace(f"{plain}.new", plain)  # noqa: PTH105 - see above

    return load_model_fn, save_model_fn


def _model(folder: str, fname: str) -> str:
    return os.path.join(folder, f"{os.path.splitext(fname)[0]}.mod")  # noqa: PTH118, PTH122 - see above
