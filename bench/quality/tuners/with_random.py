"""Random search: independent draws from the space."""

import random

from serve import serve

from bench.quality.parameters import draw


class RandomSearch:
    """Draws."""

    def __init__(self, space, seed, trials, workers):
        self.space, self.rng = space, random.Random(seed)

    def ask(self):
        """A draw."""
        return draw(self.space, self.rng), None

    def tell(self, token, loss):
        """Nothing is learnt."""


if __name__ == "__main__":
    serve(RandomSearch, version="1")
