"""A script that knows nothing of Rung: it takes options and prints how it is doing.

It fits a polynomial to noisy points of a sine by gradient descent. To tune it, from this folder:

    rung run -p lr='loguniform(1e-4, 1)' -p degree=1:9 -p momentum='uniform(0, 0.9)' -m val_loss -n 30 -w 2 train.py

Rung appends `--lr=... --degree=... --momentum=...`, and reads `epoch: 3 ... val_loss: 0.5` from what the script prints.
"""

import argparse
import math
import random


def points(count: int, *, seed: int) -> list[tuple[float, float]]:
    rng = random.Random(seed)
    places = [rng.uniform(-1, 1) for _ in range(count)]
    return [(x, math.sin(3 * x) + rng.gauss(0, 0.1)) for x in places]


def predict(weights: list[float], x: float) -> float:
    return sum(w * x**power for power, w in enumerate(weights))


def loss(weights: list[float], data: list[tuple[float, float]]) -> float:
    errors = [predict(weights, x) - y for x, y in data]
    return sum(error * error for error in errors) / len(data)  # a product that is too large is inf, a power an error


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--degree", type=int, default=3)
    parser.add_argument("--momentum", type=float, default=0.0)
    parser.add_argument("--epochs", type=int, default=20)
    options = parser.parse_args()

    train, validation = points(100, seed=0), points(100, seed=1)
    weights = [0.0] * (options.degree + 1)
    velocity = [0.0] * len(weights)
    for epoch in range(1, options.epochs + 1):
        for x, y in train:
            error = predict(weights, x) - y
            for power in range(len(weights)):
                velocity[power] = options.momentum * velocity[power] - options.lr * error * x**power
                weights[power] += velocity[power]
        print(f"epoch: {epoch} loss: {loss(weights, train):.5g} val_loss: {loss(weights, validation):.5g}")


if __name__ == "__main__":
    main()
