"""Process-wide settings, and the few functions of ``keras.backend`` that programs use."""

from __future__ import annotations

from typing import Any

from reference_impl import naming
from reference_impl.dtypes import as_dtype

_settings: dict[str, Any] = {"floatx": "float32", "epsilon": 1e-7}


def floatx() -> str:
    """The dtype of weights and inputs where none is given: ``float32``."""
    return _settings["floatx"]


def set_floatx(value: str) -> None:
    if value not in ("float16", "float32", "float64"):
        raise ValueError(f"Unknown floatx type: {value}; expected float16, float32 or float64")
    _settings["floatx"] = str(as_dtype(value))


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite: 1e-7."""
    return _settings["epsilon"]


def backend() -> str:
    """The backend's name as Keras 2 files have it."""
    return "tensorflow"


def clear_session() -> None:
    """Start the counters of automatic names anew."""
    naming.reset()


def get_value(x: Any) -> Any:
    """The value of a tensor or variable as an array."""
    return x.numpy() if hasattr(x, "numpy") else x
