"""Learning-curve extrapolation that stops a trial when its chance of ending among the best is under a calibrated level.

`track` keeps a running trial's curve, `extrapolate` says where it is heading by itself, `model` what that is worth by
the record of the study, `calibration` how small a chance must be; `record` holds the finished trials, `rule` is the
scheduler.
"""

from rung.schedule.curve.rule import Curve

__all__ = ["Curve"]
