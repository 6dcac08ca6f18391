"""Where trials run: as programs (`LocalBackend`), or as calls of a function (`PythonBackend`)."""

from .._missing import missing, refusal
from ..backend.local_backend import LocalBackend
from ..backend.python_backend import PythonBackend

__all__ = ["LocalBackend", "PythonBackend", "SageMakerBackend"]

SageMakerBackend = refusal(
    "SageMakerBackend", "it needs AWS; use LocalBackend, or several machines on one store with `rung resume`"
)
RayBackend = refusal("RayBackend", "use LocalBackend; several machines can work on one store with `rung resume`")
__getattr__ = missing(__name__)
