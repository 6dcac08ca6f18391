"""Which metric a caller means."""

from ..util import metric_name_mode

__all__ = ["metric_name_mode"]
