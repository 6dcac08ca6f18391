"""Learning from earlier experiments: Rung does so from its own studies."""

from ...._missing import missing, refusal

WAY = "run the earlier experiment as a study of Rung and start with `rung run --from STUDY launch.py`"

BoundingBox = refusal("BoundingBox", WAY)
RUSHScheduler = refusal("RUSHScheduler", WAY)
TransferLearningTaskEvaluations = refusal("TransferLearningTaskEvaluations", WAY)
ZeroShotTransfer = refusal("ZeroShotTransfer", WAY)
QuantileBasedSurrogateSearcher = refusal("QuantileBasedSurrogateSearcher", WAY)
__getattr__ = missing(__name__)
