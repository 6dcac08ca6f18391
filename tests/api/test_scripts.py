"""What a script's text says of its options."""

from __future__ import annotations

from pathlib import Path

from rung.api.scripts import read_script

SCRIPT = """
import argparse, click, rung
DEFAULTS = {"lr": 1e-3, "width": 64, "solver": "adam"}
LATE = {}
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float, required=True, help="How fast.")
parser.add_argument("--cuda", action="store_true")
parser.add_argument("--size", type=int, default=2 ** 3)
parser.add_argument("--many", action="append")

@click.option("--opt", type=click.Choice(["sgd", "adam"]), default="sgd")
@click.option("--deep/--flat", default=True)
@click.option("--quiet", is_flag=True)
def main(opt): ...

p = rung.params(DEFAULTS, momentum=0.9)
q = rung.params(LATE)
raise SystemExit("it was run")
"""


def test_options_with_their_help_and_whether_they_take_a_value(tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text(SCRIPT)
    found = read_script(tmp_path / "s.py")
    options = {option.name: option for option in found.options}
    assert (options["rate"].help, options["rate"].required, options["rate"].initial) == ("How fast.", True, None)
    assert options["size"].initial is None  # only running it would tell
    assert (options["opt"].choices, options["opt"].initial) == (["sgd", "adam"], "sgd")
    assert [name for name, option in options.items() if option.switch] == ["cuda", "deep", "quiet"]
    assert {option.name: option.initial for option in found.declared} == {
        "lr": 0.001, "width": 64, "solver": "adam", "momentum": 0.9,
    }  # fmt: skip
