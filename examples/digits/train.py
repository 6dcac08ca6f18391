"""Trains a small neural network on the digits data, one report an epoch. Runs on its own too: `python train.py`."""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # two trials run beside each other

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

import rung

DEFAULTS = {"lr": 1e-3, "alpha": 1e-4, "width": 64, "layers": 1, "activation": "relu", "solver": "adam", "epochs": 80}


def main() -> None:
    p = rung.params(DEFAULTS)
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
        val_error = 1 - network.score(x_val, y_val)
        rung.report(epoch=epoch, val_error=val_error, train_loss=network.loss_)
        print(f"epoch {epoch:2d}  loss {network.loss_:.4f}  error {val_error:.4f}")


if __name__ == "__main__":
    main()
