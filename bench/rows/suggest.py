"""What a proposal of a model-based searcher costs: TPE, TPE with many trials pending, GP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.claims import Claim
from bench.rows.base import Row, Side, Sizes

if TYPE_CHECKING:
    from bench.journal import Values
    from bench.workshop import Workshop

_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def _side(method: str, *known: str, peer: str | None = None) -> Side:
    """`known` are names of sizes; figures are `at_NAME`, and `growth` from the first to the last."""

    def side(shop: Workshop, sizes: Sizes) -> Values:
        script = "rung_suggest.py" if peer is None else "optuna_suggest.py"
        window = sizes["window"] if peer is None else sizes["peer_window"]
        counts = [sizes[name] for name in known]
        with shop.folder() as folder:
            found = shop.side(
                script, method, window, sizes["pending"], *counts, folder=folder, peer=peer, env=_ONE_THREAD
            )
        figures = {f"at_{name}": found[f"ms_at_{count}"] for name, count in zip(known, counts, strict=True)}
        return figures | {"growth": figures[f"at_{known[-1]}"] / figures[f"at_{known[0]}"]}

    return side


SUGGEST_TPE = Row(
    name="suggest-tpe",
    title="TPE: ask and tell as trials add up (10 parameters, in memory)",
    sides={"rung": _side("tpe", "small", "large"), "optuna": _side("tpe", "small", peer="optuna")},
    claims=(
        Claim(
            what="suggest and tell, 10 parameters, 1,000 trials known", metric="at_small", unit="ms a trial",
            peer="optuna", peer_name="Optuna 5 TPE", goal=10.0, least=True,
        ),
        Claim(what="the same, 10,000 known", metric="at_large", unit="ms a trial", kind="reading"),
        Claim(
            what="cost with 10,000 known over cost with 1,000", metric="growth", unit="times", kind="reading", goal=3.0
        ),
    ),
    how=(
        "`Study` in memory, one process and one thread; the known trials are given configurations with made-up "
        "results, the same on both sides; each figure is the mean over the trials that follow. Optuna: `TPESampler` "
        "as it is by default, in memory."
    ),
    limits=(
        "a few hundred calls into NumPy on small arrays (two forms of two densities, a bounded number of kernels and "
        "candidates), and the encoding of the last configuration as it comes back from the log."
    ),
    sizes={"small": 1_000, "large": 10_000, "pending": 0, "window": 200, "peer_window": 50},
    quick={"small": 100, "large": 500, "pending": 0, "window": 20, "peer_window": 5},
    rounds=3,
    quick_rounds=1,
    needs=("optuna",),
)  # fmt: skip

SUGGEST_PENDING = Row(
    name="suggest-pending",
    title="TPE: ask and tell while 1,000 trials are pending",
    sides={"rung": _side("tpe", "known"), "optuna": _side("tpe", "known", peer="optuna")},
    claims=(
        Claim(
            what="suggest and tell, 100 trials known, 1,000 pending", metric="at_known", unit="ms a trial",
            peer="optuna", peer_name="Optuna 5 TPE, constant liar",
        ),
    ),
    how="As above; 1,000 more configurations were asked for and have no result.",
    limits="a kernel for each pending trial at each candidate.",
    sizes={"known": 100, "pending": 1_000, "window": 200, "peer_window": 50},
    quick={"known": 20, "pending": 50, "window": 10, "peer_window": 5},
    rounds=3,
    quick_rounds=1,
    needs=("optuna",),
)  # fmt: skip

SUGGEST_GP = Row(
    name="suggest-gp",
    title="GP: ask and tell with 250 trials known",
    sides={"rung": _side("gp", "known"), "optuna": _side("gp", "known", peer="optuna-full")},
    claims=(
        Claim(
            what="suggest and tell, 10 parameters, 250 trials known", metric="at_known", unit="ms a trial",
            peer="optuna", peer_name="Optuna 5 GPSampler", goal=5.0, least=True,
        ),
    ),
    how=(
        "As above, with Gaussian processes, one thread on both sides; regret is compared on the page about quality. "
        "Optuna: `GPSampler` as it is by default."
    ),
    limits="the fit of the kernel's hyperparameters.",
    sizes={"known": 250, "pending": 0, "window": 20, "peer_window": 10},
    quick={"known": 30, "pending": 0, "window": 3, "peer_window": 3},
    rounds=3,
    quick_rounds=1,
    needs=("optuna-full",),
)  # fmt: skip
