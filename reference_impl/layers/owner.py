"""What a layer owns: a name, weights, and the layers inside it."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from functools import cache, partial
from typing import Any, Self, cast

import numpy as np
import numpy.typing as npt

from reference_impl import constraints, initializers, mixed_precision, naming, regularizers
from reference_impl.dtypes import as_dtype
from reference_impl.layers.state import AddedLoss, LayerState, leaves
from reference_impl.layers.weights import gather, set_values
from reference_impl.mixed_precision import Policy
from reference_impl.shapes import TensorShape, as_shape
from reference_impl.tracking import Trackable
from reference_impl.variables import Variable

Array = npt.NDArray[Any]


_PLAIN = frozenset({bool, int, float, str, type(None)})
"""Of these most attributes are, and no weights in them."""


class Owner(Trackable):
    """The base of :class:`~reference_impl.layers.base.Layer`, which alone inherits from it.

    All bookkeeping is in one :class:`LayerState`, made before ``__init__`` runs, so that a subclass whose
    ``__init__`` forgets ``super().__init__()`` is a layer too.
    """

    _state: LayerState

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        layer = super().__new__(cls)
        layer.__dict__["_state"] = LayerState()
        return layer

    # -- what it is ----------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        if self._state.name is None:
            self._state.name = naming.unique_name(naming.snake_case(type(self).__name__))
        return self._state.name

    @property
    def _name(self) -> str:
        return self.name

    @_name.setter
    def _name(self, value: str) -> None:
        self._state.name = value

    @property
    def dtype_policy(self) -> Policy:
        """The dtypes it computes in and keeps its weights in."""
        return self._state.policy or mixed_precision.global_policy()

    @property
    def dtype(self) -> str:
        """The dtype of its weights."""
        return self.dtype_policy.variable_dtype

    variable_dtype = dtype

    @property
    def compute_dtype(self) -> str:
        """The dtype of its computation, to which floating inputs are cast."""
        return self.dtype_policy.compute_dtype

    @property
    def built(self) -> bool:
        return self._state.built

    @built.setter
    def built(self, value: bool) -> None:
        self._state.built = value

    @property
    def trainable(self) -> bool:
        return self._state.trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self._flatten_layers():
            layer._state.trainable = bool(value)

    def _children(self) -> list[Any]:
        """The layers (and metrics) that are attributes of this one, or in lists, tuples and dicts that are."""
        found: list[Any] = []
        for edge in self.__dict__.get("_tracked_edges", {}).values():
            if isinstance(edge, Variable):
                continue
            for leaf in leaves(edge):
                if isinstance(leaf, _kinds_of_children()) and all(leaf is not other for other in found):
                    found.append(leaf)
        return found

    def _flatten_layers(self, include_self: bool = True) -> list[Any]:
        """This layer and all layers inside it, each once, outer before inner."""
        found: list[Any] = [self]
        seen = {id(self)}

        def visit(layer: Owner) -> None:
            for child in layer._children():
                if isinstance(child, Owner) and id(child) not in seen:
                    seen.add(id(child))
                    found.append(child)
                    visit(child)

        visit(self)
        return found if include_self else found[1:]

    @property
    def submodules(self) -> tuple[Any, ...]:
        return tuple(self._flatten_layers(include_self=False))

    # -- weights -------------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        old = self.__dict__.get(name)
        super().__setattr__(name, value)
        if old is None and type(value) in _PLAIN:
            return
        if old is not None and isinstance(old, Variable) and all(held is not old for held in self.__dict__.values()):
            # A variable that another one replaces is no weight any more.
            self._state.variables[:] = [variable for variable in self._state.variables if variable is not old]
        if name not in self._untracked:
            for leaf in leaves(value):
                if isinstance(leaf, Variable):
                    self._own(leaf)

    def _own(self, variable: Variable) -> None:
        variables = self._state.variables
        if any(variable is other for other in variables):
            return
        # Unnamed variables are all called "Variable"; files need them apart.
        if variable.automatically_named:
            stem = variable.name.removesuffix(":0")
            taken = {other.name.removesuffix(":0") for other in variables}
            variable.__dict__["name"] = naming.distinct(stem, taken) + ":0"
        variables.append(variable)

    def add_weight(
        self,
        name: str | None = None,
        shape: Any = None,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool | None = None,
        constraint: Any = None,
        **kwargs: Any,
    ) -> Variable:
        """Make a weight of this layer.

        ``shape``: sizes, default (). ``dtype``: default the layer's. ``initializer``: default ``glorot_uniform``, for
        integers zeros. Without a ``name`` it is called ``Variable``, ``Variable_1``, … within its layer.
        ``autocast`` (also ``experimental_autocast``, default True): inside calls it is read in the layer's compute
        dtype. Keyword arguments TensorFlow has for distribution are accepted and mean nothing.
        """
        wanted = as_dtype(dtype or self.dtype)
        default = "glorot_uniform" if wanted.is_floating else "zeros"
        make = cast("Callable[..., Any]", initializers.get(default if initializer is None else initializer))
        sizes = tuple(int(cast("int", size)) for size in as_shape(() if shape is None else shape))
        # An initializer of the user's own may take the shape and nothing else.
        variable = Variable(
            partial(make, sizes, dtype=wanted) if _takes_dtype(make) else partial(make, sizes),
            trainable=True if trainable is None else trainable,
            name=name,
            dtype=wanted,
            constraint=constraints.get(constraint),
            gives=TensorShape(sizes),
        )
        variable.autocast = kwargs.get("autocast", kwargs.get("experimental_autocast", True)) and wanted.is_floating
        self._own(variable)
        penalty = regularizers.get(regularizer)
        if penalty is not None:
            self._state.penalties.append(AddedLoss(partial(_penalty, penalty, variable), external=False))
        if name is not None:
            self._track(name, variable)
        return variable

    def add_variable(self, *args: Any, **kwargs: Any) -> Variable:
        """Deprecated: the same as :meth:`add_weight`."""
        warnings.warn(
            "`layer.add_variable` is deprecated and will be removed in a future version. "
            "Please use `layer.add_weight` method instead.",
            # The kind Python shows to users; a DeprecationWarning is hidden outside __main__.
            FutureWarning,
            stacklevel=2,
        )
        return self.add_weight(*args, **kwargs)

    @property
    def trainable_weights(self) -> list[Variable]:
        """Own trainable weights in creation order, then those of the layers inside; none when frozen."""
        if not self.trainable:
            return []
        own = [variable for variable in self._state.variables if variable.trainable]
        children = self._children()
        return gather(own, children, "trainable_weights") if children else own

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """Own other weights, then those of the layers inside; all weights when frozen."""
        own = [variable for variable in self._state.variables if not variable.trainable]
        children = self._children()
        if self.trainable:
            return gather(own, children, "non_trainable_weights") if children else own
        frozen = [variable for variable in self._state.variables if variable.trainable]
        return gather(frozen + own, children, "weights")

    @property
    def weights(self) -> list[Variable]:
        """The trainable weights, then the others."""
        return gather(self.trainable_weights + self.non_trainable_weights)

    @property
    def variables(self) -> list[Variable]:
        return self.weights

    @property
    def trainable_variables(self) -> list[Variable]:
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        return self.non_trainable_weights

    def get_weights(self) -> list[Array]:
        """The values in the order of ``weights``, as copies."""
        return [np.array(variable.array) for variable in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Copy values into the weights, in the order of ``weights``.

        A wrong count or shape is a ``ValueError`` that names both sides, and then nothing has changed.
        """
        set_values(f'layer "{self.name}"', self.weights, list(weights))

    def count_params(self) -> int:
        """The number of elements of all weights; ``ValueError`` before the layer is built."""
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on {self.name}, but the layer isn't built. "
                f"You can build it manually via: `{self.name}.build(batch_input_shape)`."
            )
        return sum(variable.array.size for variable in self.weights)


@cache
def _kinds_of_children() -> tuple[type, ...]:
    from reference_impl.metrics import Metric

    return Owner, Metric


def _penalty(regularizer: Callable[[Any], Any], variable: Variable) -> Any:
    return regularizer(variable)


def _takes_dtype(function: Callable[..., Any]) -> bool:
    return _calls_with_dtype(type(function)) if isinstance(function, initializers.Initializer) else _has_dtype(function)


@cache
def _calls_with_dtype(kind: type[initializers.Initializer]) -> bool:
    return _has_dtype(kind.__call__)


def _has_dtype(function: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return True
    return any(p.name == "dtype" or p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)
