"""`rung studio`: which words are its flags, what is refused and how, and what is said of flags without a use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rung.cli.group import run_command

SCRIPT = "lr = 0.01\nn = 2\nprint(lr, n)\nprint('val_loss:', lr)\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RUNG_STORE", raising=False)
    monkeypatch.delenv("RUNG_DIR", raising=False)
    for name in ("train_mnist_keras.py", "script.py"):
        (tmp_path / name).write_text(SCRIPT)
    return tmp_path


def planned(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[dict[str, Any], str]:
    """The plan of `rung studio plan WORDS… --json`, and what was said."""
    assert run_command(["studio", "plan", "--json", *words]) == 0
    said = capsys.readouterr()
    return json.loads(said.out), said.err


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (["--hyperparam=lr=0.01:0.01:0.1", "train_mnist_keras.py", "30"], 10),
        (["--hyperparam=lr=0.01:0.01:0.1", "--metric=val_loss:min", "train_mnist_keras.py"], 10),
        (["--hyperparam=lr=0.01:0.01:0.1", "--metric=val_loss:min", "--cloud=gcloud", "--num-workers=4",
          "train_mnist_keras.py"], 10),
        (["--hyperparam=lr=1e-5:l5:0.1", "script.py"], 5),
        (["--hyperparam=lr=1e-5:10:0.1", "script.py"], 10),
        (["--hyperparam=lr=1e-5:u10:0.1", "script.py"], 10),
        (["-hp", "lr=0.1", "script.py"], 1),
        (["--hp=n=2,5,6", "-hp", "lr=0:3", "script.py"], 12),
    ],
)  # fmt: skip
def test_the_command_lines_of_the_original_are_read(
    words: list[str], values: int, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, _ = planned(capsys, *words)
    assert (found["size"], found["trials"]) == (values, values)
    assert found["first"][0]["command"][1:] == [word for word in words if not word.startswith("-") and "=" not in word]


def test_what_stands_after_the_script_is_the_scripts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found, _ = planned(capsys, "--experiment", "mine", "script.py", "--experiment", "aaa", "-hp", "x=1", "--help")
    assert found["first"][0]["command"][1:] == ["script.py", "--experiment", "aaa", "-hp", "x=1", "--help"]


@pytest.mark.parametrize(
    "flag",
    [
        ["--cloud=ec2spot"], ["--bid", "50%"], ["--queue", "q"], ["-q", "q"], ["--ssh-keypair", "k"],
        ["--cloud-timeout", "300"], ["--user-startup-script", "x.sh"], ["--branch", "b"], ["--container", "c"],
        ["--port", "8080"], ["--ram", "4g"], ["--hdd", "10g"], ["--gpuMem", "2g"], ["--python-pkg", "torch"],
    ],
)  # fmt: skip
def test_flags_without_a_use_say_what_has(flag: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, said = planned(capsys, *flag, "--metric", "val_loss:min", "script.py")
    [line] = said.splitlines()
    assert line.startswith("--")
    assert len(line) > 40


@pytest.mark.parametrize(
    "flag", [["--guest"], ["--force-git"], ["--verbose", "debug"], ["-v", "10"], ["--gpus", "0"], ["--cpus", "1"]]
)
def test_flags_without_consequence_are_accepted(
    flag: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert planned(capsys, *flag, "--metric", "val_loss:min", "script.py")[1] == ""


def test_a_function_of_a_module_is_a_script(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "mod.py").write_text("def go():\n    pass\n")
    found, _ = planned(capsys, "mod::go", "x")
    assert found["first"][0]["command"][1] == "-c"
    assert found["first"][0]["command"][-1] == "x"


def test_a_configuration_file_says_how_the_search_ends(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "optimizer:\n  cmaes_config: {popsize: 6}\n  termination_criterion: {generation: 2}\ncloud: {zone: us}\n"
    (folder / "config.yaml").write_text(text)
    found, _ = planned(capsys, "--config", "config.yaml", "-opt", "cmaes", "-hp", "lr=1e-4:1:l", "script.py")
    assert found["trials"] == 12
    assert "generations of 6" in found["search"]


OPTIMIZER = """
import copy
class Optimizer(object):
    def __init__(self, hyperparameters, config, logger): self.h = hyperparameters
    def stop(self): return False
    def ask(self):
        if self.h[0].name == "n": raise RuntimeError("not n")
        made = []
        for i in range(5):
            one = copy.copy(self.h[0]); one.values = i; made.append([one])
        return made
    def tell(self, population, fitnesses): pass
"""


def test_an_optimizers_generations_are_its_batches(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "opt.py").write_text(OPTIMIZER)
    words = ["--optimizer", "opt.py", "-hp", "lr=0:9", "script.py"]
    found, _ = planned(capsys, "--num-workers", "2", *words)
    assert "5 at a time" in found["search"]
    assert [each["params"]["lr"] for each in found["first"]] == [0, 1, 2, 3, 4]
    assert "1 at a time" in planned(capsys, *words)[0]["search"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "expected a script that ends in .py"),
        (["script"], "is no script"),
        (["gone.py"], "the script gone.py does not exist"),
        (["../other.py"], "the script must be in the working directory"),
        (["mod::go"], "expected module::function"),
        (["-hp", "lr", "script.py"], "--hyperparam: expected NAME=RANGE"),
        (["-hp", "lr=0:5:l", "-opt", "cmaes", "script.py"], "a log scale needs bounds above 0, got 0; write lr=5e-04:5:l"),
        (["-hp", "lr=0:1:10:urla", "-opt", "cmaes", "script.py"], "write lr=1e-04:1:10:urla"),
        (["-opt", "cmeas", "-hp", "lr=0:1", "script.py"], "did you mean `cmaes`"),
        (["-opt", "gone.py", "-hp", "lr=0:1", "script.py"], "--optimizer gone.py: no such file"),
        (["-opt", "script.py", "-hp", "lr=0:1", "script.py"], "expected a class with"),
        (["-opt", "opt.py", "-hp", "n=0:1", "--num-workers", "2", "script.py"], "it raised RuntimeError: not n"),
        (["--executor", "loca", "script.py"], "did you mean `local`"),
        (["--config", "gone.yaml", "script.py"], "gone.yaml: cannot be read"),
        (["--config", "script.py", "script.py"], "script.py"),
        (["--num-workers", "x", "script.py"], "--num-workers"),
        (["--reuse", "a", "script.py"], "expected EXPERIMENT/TAG:NEWTAG"),
        (["--reuse", "a/b:c", "script.py"], "no store there"),
        (["--capture", "a:b/c", "script.py"], "expected PATH:TAG"),
        (["--project", "7", "script.py"], "--project"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(
    words: list[str], message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "opt.py").write_text(OPTIMIZER)
    (folder.parent / "other.py").write_text("")
    assert run_command(["studio", "plan", *words]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert said.startswith("rung: ")


def test_our_own_studies_say_what_source_needs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["plan", "--inject", "source", "-p", "gone=1,2", "-m", "loss"]
    assert run_command([*words, "script.py"]) == 0
    said = capsys.readouterr()
    assert "no place in script.py takes it" in said.err
    assert "python" in said.out
    assert "# gone=1" in said.out
    assert run_command([*words, "--", "true"]) == 2
    assert "`source` puts values into the script" in capsys.readouterr().err
