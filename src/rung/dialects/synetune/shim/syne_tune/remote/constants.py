"""Names of machines, as definitions give them for `instance_type`. They choose nothing here."""

from __future__ import annotations

DEFAULT_CPU_INSTANCE = "ml.c5.4xlarge"
DEFAULT_CPU_INSTANCE_SMALL = "ml.c5.4xlarge"
DEFAULT_CPU_INSTANCE_LARGE = "ml.c5.18xlarge"
DEFAULT_GPU_INSTANCE_1GPU = "ml.g4dn.xlarge"
DEFAULT_GPU_INSTANCE_4GPU = "ml.g4dn.12xlarge"
