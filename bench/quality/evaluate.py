"""The server of the objectives, in the environment `problems`: one JSON object a line, each answered by one.

{"problem": NAME, "params": {...}, "draw": 17}  ->  {"seen": 0.5, "true": 0.5}    (null: not a number)
"""

from __future__ import annotations

import json
import math
import os
import sys
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.quality.objectives import Objective, build
from bench.quality.problems import PROBLEMS


@cache
def objective(name: str) -> Objective:
    """The problem's objective, built once."""
    return build(PROBLEMS[name])


def as_json(value: float) -> float | None:
    """JSON has no word for what is not a number."""
    return value if math.isfinite(value) else None


def main() -> None:
    """Answers until the pipe is closed."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        asked = json.loads(line)
        seen, true = objective(asked["problem"])(asked["params"], asked["draw"])
        answers.write(json.dumps({"seen": as_json(seen), "true": as_json(true)}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
