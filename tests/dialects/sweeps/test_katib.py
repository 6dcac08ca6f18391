"""Katib experiments."""

from __future__ import annotations

import pytest

from dialects.sweeps.conftest import Resolved, launched, shapes, typed
from rung.dialects.sweeps.katib import KatibDialect
from rung.model import BadInput, Objective

EXPERIMENT = """
apiVersion: kubeflow.org/v1beta1
kind: Experiment
metadata: {namespace: kubeflow, name: digits}
spec:
  objective:
    type: maximize
    goal: 0.99
    objectiveMetricName: accuracy
    additionalMetricNames: [loss]
  algorithm:
    algorithmName: bayesianoptimization
    algorithmSettings: [{name: random_state, value: "10"}]
  earlyStopping:
    algorithmName: medianstop
    algorithmSettings: [{name: min_trials_required, value: "1"}]
  parallelTrialCount: 2
  maxTrialCount: 12
  maxFailedTrialCount: 3
  parameters:
    - name: lr
      parameterType: double
      feasibleSpace: {min: "0.01", max: "0.05", distribution: logUniform}
    - name: num-layers
      parameterType: int
      feasibleSpace: {min: "1", max: "64", step: "3"}
    - name: momentum
      parameterType: double
      feasibleSpace: {min: "0.5", max: "0.9", step: "0.1"}
    - name: width
      parameterType: discrete
      feasibleSpace: {list: ["16", "32.5"]}
    - name: optimizer
      parameterType: categorical
      feasibleSpace: {list: ["sgd", "adam"]}
  trialTemplate:
    primaryContainerName: training
    trialParameters:
      - {name: learningRate, description: how fast, reference: lr}
      - {name: layers, reference: num-layers}
      - {name: opt, reference: optimizer}
    trialSpec:
      apiVersion: batch/v1
      kind: Job
      spec:
        template:
          spec:
            containers:
              - name: training
                image: docker.io/someone/training:latest
                env: [{name: DATA DIR, value: "/my data"}]
                command: ["python3", "train.py", "--epochs=1", "{}"]
                args: ["--lr=${trialParameters.learningRate}", "--x", "${trialParameters.layers}/${trialParameters.opt}"]
              - {name: sidecar, image: other}
            restartPolicy: Never
"""


def test_an_experiment(resolved: Resolved) -> None:
    spec = resolved("katib.yaml", EXPERIMENT, "katib", metrics=(), command=()).spec
    assert typed(shapes(spec)).splitlines() == [
        "lr: ('float', 0.01, 0.05, None, 'log')",
        "num-layers: ('int', 1, 64, 3, 'linear')",
        "momentum: ('float', 0.5, 0.9, 0.1, 'linear')",
        "width: ('ordinal', 16, 32.5)",
        "optimizer: ('choice', 'sgd', 'adam')",
    ]
    assert spec.objectives == (Objective(metric="accuracy", goal="maximize", value="best"),)
    assert (spec.search.method, spec.search.seed) == ("gp", 10)
    assert (spec.schedule.method, spec.schedule.options) == ("median", {"population": 1, "grace": 4})
    assert (spec.budget.trials, spec.budget.max_failures, spec.budget.target, spec.run.workers) == (12, 3, 0.99, 2)
    how = launched(spec, lr=0.02, momentum=0.5, width=16, optimizer="a b", **{"num-layers": 4})
    assert how.argv == (
        "env", "DATA DIR=/my data", "python3", "train.py", "--epochs=1", "{}", "--lr=0.02", "--x", "4/a b",
    )  # fmt: skip


def test_a_command_of_ones_own(resolved: Resolved) -> None:
    spec = resolved("katib.yaml", EXPERIMENT, "katib", command=("python", "train.py", "{lr}")).spec
    assert launched(spec, lr=0.5).argv == ("python", "train.py", "0.5")


def test_the_latest_report_counts_where_the_strategy_says_so() -> None:
    text = EXPERIMENT.replace(
        "    additionalMetricNames: [loss]\n",
        "    metricStrategies: [{name: loss, value: min}, {name: accuracy, value: latest}]\n",
    )
    assert KatibDialect().read(text, file="k.yaml").objectives[0].value == "last"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("bayesianoptimization", "hyperband", "k.yaml:12: spec.algorithm.algorithmName: unknown algorithm that can"),
        ("random_state", "base_estimator", "the setting base_estimator cannot be mapped"),
        ("algorithmName: medianstop", "algorithmName: other", "unknown early stopping"),
        ('min: "0.01"', 'min: "small"', 'feasibleSpace.min: expected a number, got "small"'),
        ('min: "0.01"', 'min: "1"', "must be at most"),
        ('min: "0.01"', 'min: "0"', "must be above 0 on a log scale"),
        ("logUniform", "normal", "unknown distribution that can be mapped"),
        ('step: "3"', 'step: "0.5"', "expected a whole number"),
        ('"32.5"', '"wide"', "expected a number"),
        ("reference: lr", "reference: rate", "rate is no parameter of the experiment"),
        ("trialParameters.layers", "trialParameters.depth", "${trialParameters.depth} is not among"),
        ('"{}"', '"${trialSpec.Name}"', "holds a variable that only Kubernetes fills in"),
        ("primaryContainerName: training", "primaryContainerName: none", "expected one container to run, found 0"),
        ("maxTrialCount: 12", "maxTrialCount: 0", "spec.maxTrialCount: expected a whole number of at least 1"),
        ("  parallelTrialCount: 2", "  nasConfig: {}", "unknown key `nasConfig`"),
        ("  parallelTrialCount: 2", "  metricsCollectorSpec: {collector: {kind: File}}", "cannot be mapped: print"),
        ("type: maximize", "type: up", 'unknown type "up"'),
    ],
)
def test_what_cannot_be_mapped(old: str, new: str, said: str) -> None:
    assert old in EXPERIMENT
    with pytest.raises(BadInput) as raised:
        KatibDialect().read(EXPERIMENT.replace(old, new), file="k.yaml")
    assert said in str(raised.value)
    assert str(raised.value).startswith("k.yaml:")
