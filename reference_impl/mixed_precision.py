"""Dtype policies: the dtype a layer computes in, and the dtype its weights are kept in.

Under ``mixed_float16`` and ``mixed_bfloat16`` weights are float32 and are read as 16-bit numbers inside ``call``,
floating inputs are cast likewise, so outputs have 16 bits. Under any other policy, named by a dtype, the two are one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from reference_impl import backend
from reference_impl.dtypes import DType, as_dtype
from reference_impl.errors import LoadError

_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}
_CLASSES = ("Policy", "PolicyV1", "DTypePolicy", "FloatDTypePolicy", "Custom>Policy")
"""Class names that configs of the generations give a policy."""


@dataclass(frozen=True)
class Policy:
    """A policy by its name: a dtype, ``mixed_float16`` or ``mixed_bfloat16``. ``ValueError`` for another name."""

    name: str

    def __post_init__(self) -> None:
        if self.name not in _MIXED:
            try:
                as_dtype(self.name)
            except TypeError:
                raise ValueError(
                    f"Cannot convert value {self.name!r} to a mixed precision Policy; expected a dtype or one of "
                    f"{', '.join(_MIXED)}"
                ) from None

    @property
    def compute_dtype(self) -> DType:
        return as_dtype(_MIXED.get(self.name, self.name))

    @property
    def variable_dtype(self) -> DType:
        return as_dtype("float32" if self.name in _MIXED else self.name)

    @property
    def mixed(self) -> bool:
        """Whether weights are kept in another dtype than the computation's."""
        return self.name in _MIXED

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Policy:
        return cls(str(config["name"]))


_global: list[Policy] = []


def global_policy() -> Policy:
    """The policy of layers made without a ``dtype``: what was set, else the one named by ``floatx``."""
    return _global[-1] if _global else Policy(backend.floatx())


def set_global_policy(policy: Any) -> None:
    """Set the policy of layers made from now on; None goes back to ``floatx``."""
    _global[:] = [] if policy is None else [policy_of(policy)]


def policy_of(dtype: Any) -> Policy:
    """The policy that the ``dtype`` argument of a layer means: a name, a dtype, a policy, or its config form.

    None is the global policy. :class:`~reference_impl.LoadError` for a config of another class.
    """
    if dtype is None:
        return global_policy()
    if isinstance(dtype, Policy):
        return dtype
    if isinstance(dtype, Mapping):
        form = cast("Mapping[str, Any]", dtype)
        name: Any = form.get("class_name")
        if name not in _CLASSES:
            raise LoadError(f"found a dtype of class {name!r}, expected a dtype's name or one of {', '.join(_CLASSES)}")
        return Policy.from_config(form["config"])
    if isinstance(dtype, str) and dtype in _MIXED:
        return Policy(dtype)
    return Policy(str(as_dtype(dtype)))


def serialize(policy: Policy) -> Any:
    """As the config of a layer has it: the dtype's name, or the policy's own form when the two dtypes differ."""
    return {"class_name": "Policy", "config": policy.get_config()} if policy.mixed else policy.name


def __getattr__(name: str) -> Any:
    """Keras has the optimizer that scales losses here; layers are imported without optimizers."""
    if name == "LossScaleOptimizer":
        from reference_impl.optimizers import LossScaleOptimizer

        return LossScaleOptimizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
