"""A trial with a family: a child, a grandchild in a session of its own, and a daemon that forked twice."""

from __future__ import annotations

import os
import time


def session(generations: int) -> None:
    """A process that many forks away from this one leads a session of its own and waits there."""
    if os.fork() == 0:
        os.setsid()
        if generations:
            session(generations - 1)
            if generations == 2:
                os._exit(0)
        time.sleep(100)
        os._exit(0)


if __name__ == "__main__":
    session(0)
    session(2)
    print("loss: 1", flush=True)
    time.sleep(100)
