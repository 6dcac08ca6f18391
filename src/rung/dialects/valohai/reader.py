"""`valohai.yaml` as studies."""

from __future__ import annotations

from rung.dialects.foreign import Foreign


class ValohaiDialect(Foreign):
    """`valohai.yaml`."""

    name = "valohai"
