"""What the launchers have in common."""

from __future__ import annotations

import os
import re
import socket
import sys
from typing import NoReturn

from determined import _study

CLASS = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
USAGE = "[launcher options --] (--trial MODULE:CLASS | PROGRAM [ARGUMENTS...])"


def program(argv: list[str], name: str) -> list[str]:
    """The command that is to be launched. Raises `SystemExit` where there is none."""
    if argv and argv[0].startswith("-") and "--" in argv:  # one in the program's own words is the program's
        argv = argv[argv.index("--") + 1 :]
    if argv[:1] == ["--autohorovod"]:
        argv = argv[1:]
    if len(argv) == 2 and argv[0] == "--trial":
        return [sys.executable, "-m", "determined.exec.harness", "--train-entrypoint", argv[1]]
    if not argv or argv[0].startswith("-"):
        raise SystemExit(f"usage: python -m determined.launch.{name} {USAGE}")
    return argv


def run(argv: list[str], name: str) -> NoReturn:
    """This process is the program from now on, the only one of its trial."""
    command = program(argv, name)
    study = _study.current()
    if study is not None and study.slots > 1:
        _study.say(f"slots_per_trial is {study.slots}, but a trial is one process here")
    os.environ.update(
        RANK="0", LOCAL_RANK="0", GROUP_RANK="0", WORLD_SIZE="1", LOCAL_WORLD_SIZE="1", CROSS_RANK="0", CROSS_SIZE="1",
        MASTER_ADDR="127.0.0.1", MASTER_PORT=str(_free_port()),
    )  # fmt: skip
    sys.stdout.flush()
    try:
        os.execvp(command[0], command)  # noqa: S606 - the user's own program
    except OSError as error:
        raise SystemExit(f"{command[0]}: {error.strerror}") from None


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
