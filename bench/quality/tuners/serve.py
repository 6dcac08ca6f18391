"""The protocol between the harness and a tuner in its own environment: one JSON object a line, each answered by one.

    {"new": {"space": [...], "seed": 1, "trials": 100, "workers": 1}}  ->  {}
    {"ask": 0}                                                         ->  {"params": {...}, "seconds": 0.01}
    {"tell": 0, "loss": 0.5}  (null: the trial failed)                 ->  {"seconds": 0.001}

`{"over": true}` answers an ask when the tuner has nothing more to propose. Seconds are the processor's, of the tuner
alone: other programs on the machine do not count. What a tuner prints goes to stderr. `make(space, seed, trials,
workers)` gives an object with `ask() -> (params, token)`, or None when nothing is left, and `tell(token, loss)`.
"""

import json
import os
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from bench.quality.parameters import Param


def serve(make, *, version):
    """Answer until the harness closes the pipe."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    tuner, tokens = None, {}
    for line in sys.stdin:
        asked = json.loads(line)
        answer = {}
        started = time.process_time()
        if "new" in asked:
            declared = asked["new"]
            declared["space"] = [as_param(row) for row in declared["space"]]
            tuner, tokens = make(**declared), {}
            answer["version"] = version
        elif "ask" in asked:
            found = tuner.ask()
            if found is None:
                answer["over"] = True
            else:
                answer["params"], tokens[asked["ask"]] = found
        else:
            tuner.tell(tokens.pop(asked["tell"]), asked["loss"])
        answer["seconds"] = time.process_time() - started
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def as_param(row):
    """The parameter as it was before JSON made lists of tuples."""
    param = Param(*row)
    when = None if param.when is None else (param.when[0], tuple(param.when[1]))
    return param._replace(values=tuple(param.values), when=when)


class WorstSeen:
    """For tuners that cannot be told of a failure: it counts as the worst loss so far."""

    def __init__(self):
        self.worst = 0.0

    def loss(self, loss):
        """The loss to tell."""
        if loss is not None:
            self.worst = max(self.worst, loss)
        return self.worst if loss is None else loss
