"""The digits search as a plain Python function: `python examples/function.py`."""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # two trials run beside each other

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

import rung

SPACE = {
    "lr": rung.loguniform(1e-4, 0.1),
    "alpha": rung.loguniform(1e-6, 0.1),
    "width": rung.randint(16, 128, step=16),
    "layers": rung.randint(1, 3),
    "activation": {"type": "choice", "values": ["relu", "tanh"]},  # what a study file says does here too
    "solver": rung.choice("adam", "sgd"),
    "momentum": rung.reverseloguniform(0, 0.99, when="solver == 'sgd'"),
    "epochs": 80,
}


def objective(p: dict) -> float:
    """The share of digits that a network trained with these parameters gets wrong."""
    images, labels = load_digits(return_X_y=True)
    x, x_val, y, y_val = train_test_split(images / 16, labels, test_size=0.25, random_state=0, stratify=labels)
    network = MLPClassifier(
        hidden_layer_sizes=(p["width"],) * p["layers"],
        activation=p["activation"],
        solver=p["solver"],
        learning_rate_init=p["lr"],
        momentum=p.get("momentum", 0.9),
        alpha=p["alpha"],
        batch_size=32,
        random_state=rung.trial.seed,
    )
    for epoch in range(1, p["epochs"] + 1):
        network.partial_fit(x, y, classes=range(10))
        rung.report(epoch=epoch, val_error=1 - network.score(x_val, y_val))
    return 1 - network.score(x_val, y_val)


if __name__ == "__main__":
    study = rung.tune(objective, SPACE, metric="val_error", goal="minimize", trials=24, workers=2, seed=0)
    print(f"validation error {study.best.value:.4f} with {study.best.params}")
