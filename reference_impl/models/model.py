"""The model: a layer that can be trained, saved and rebuilt.

A model is either subclassed (its ``call`` is code) or has a :class:`~reference_impl.models.graph.Graph`, made by
``Model(inputs, outputs)`` or by a Sequential's layers. What needs to know how layers are connected (config, summary,
names of inputs and outputs) needs the graph.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Self, cast

from reference_impl import dialects, naming, structure
from reference_impl.layers import automatic
from reference_impl.layers.base import Layer, with_mask
from reference_impl.layers.node import KerasTensor, Node
from reference_impl.layers.op_layer import AddLoss, AddMetric
from reference_impl.layers.weights import gather
from reference_impl.models.config import graph_config, graph_from_config, own_flag
from reference_impl.models.graph import Graph
from reference_impl.serialization import jsonable
from reference_impl.serialization.registry import CustomObjectScope, Objects
from reference_impl.tensors import symbolic
from reference_impl.tracking import layer_edges
from reference_impl.training.trainer import Trainer
from reference_impl.variables import Variable

_GRAPH_KEYS = {"layers", "input_layers", "output_layers"}
_HERE = __name__.rpartition(".")[0]


class Model(Trainer):
    """``Model(inputs, outputs, name=…)`` of symbolic tensors, or the base of a class with its own ``call``."""

    _graph: Graph | None = None

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        if cls is Model and _has_graph_arguments(args, kwargs):
            from reference_impl.models.functional import Functional

            # Python goes on with the __init__ of what it is given.
            return cast("Self", Layer.__new__(Functional))
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not _has_graph_arguments(args, kwargs):
            super().__init__(*args, **kwargs)
            return
        inputs, outputs = kwargs.pop("inputs", args[0] if args else None), kwargs.pop("outputs", None)
        if outputs is None:
            outputs = args[1]
        named = dict(zip(("name", "trainable"), args[2:], strict=False))
        stem = "model" if type(self).__name__ == "Functional" else naming.snake_case(type(self).__name__)
        name = kwargs.pop("name", named.get("name"))
        super().__init__(name=naming.unique_name(stem) if name is None else name, **kwargs)
        self._set_graph(Graph(inputs, outputs))
        if not named.get("trainable", True):
            self.trainable = False

    # -- the graph -----------------------------------------------------------------------------------------

    def _set_graph(self, graph: Graph) -> None:
        """Make ``graph`` this model's computation."""
        self.__dict__["_graph"] = graph
        # Call number 0 of a model with a graph is its own way from inputs to outputs.
        own = Node(self, (graph.input_structure,), {}, graph.output_structure)
        self._state.inbound_nodes[:1] = [own]
        self.built = True
        self._settle()

    @property
    def inputs(self) -> list[KerasTensor] | None:
        """The symbolic inputs; None for a model without a graph."""
        return self._graph.inputs if self._graph is not None else None

    @property
    def outputs(self) -> list[KerasTensor] | None:
        return self._graph.outputs if self._graph is not None else None

    @property
    def input(self) -> Any:
        return self._graph.input_structure if self._graph is not None else super().input

    @property
    def output(self) -> Any:
        return self._graph.output_structure if self._graph is not None else super().output

    @property
    def input_shape(self) -> Any:
        return structure.map_leaves(lambda tensor: tuple(tensor.shape), self.input)

    @property
    def input_names(self) -> list[str]:
        return list(self._graph.input_names) if self._graph is not None else []

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs' layers; of a model without a graph ``output_1``, …, once it was called."""
        return list(self._graph.output_names) if self._graph is not None else self.__dict__.get("_output_names", [])

    def _children(self) -> list[Any]:
        if self._graph is None:
            return super()._children()
        assigned = [child for child in super()._children() if all(child is not layer for layer in self._graph.layers)]
        return [*self._graph.layers, *assigned]

    @property
    def layers(self) -> list[Layer]:
        """The layers directly inside: of a graph deepest first, else in the order of assignment."""
        return [child for child in self._children() if isinstance(child, Layer)]

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of that name or at that place; ``ValueError`` if there is none."""
        if index is not None:
            if index >= len(self.layers):
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has {len(self.layers)} layers."
                )
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ValueError(f"No such layer: {name}; the layers are {[layer.name for layer in self.layers]}")

    def _checkpoint_dependencies(self) -> dict[str, Any]:
        edges = layer_edges(self.layers) if self._graph is not None else {}
        return {**edges, **super()._checkpoint_dependencies()}

    # -- weights -------------------------------------------------------------------------------------------

    @property
    def weights(self) -> list[Variable]:
        """The lists of the layers one after the other, then the model's own."""
        self._check_weights_exist()
        return gather((), [*self._children(), _Own(self._state.variables)], "weights")

    @property
    def trainable_weights(self) -> list[Variable]:
        if not self.trainable:
            return []
        own = [variable for variable in self._state.variables if variable.trainable]
        return gather((), [*self._children(), _Own(own)], "trainable_weights")

    @property
    def non_trainable_weights(self) -> list[Variable]:
        own = [variable for variable in self._state.variables if not variable.trainable]
        frozen: list[Variable] = []
        if not self.trainable:
            trainable = [variable for variable in self._state.variables if variable.trainable]
            frozen = gather((), [*self._children(), _Own(trainable)], "trainable_weights")
        return gather(frozen, [*self._children(), _Own(own)], "non_trainable_weights")

    def _check_weights_exist(self) -> None:
        if type(self).build is not Model.build and not self.built:
            raise ValueError(
                f"Weights for model {self.name} have not yet been created. Weights are created when the Model is "
                "first called on inputs or `build()` is called with an `input_shape`."
            )

    # -- calling -------------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of ``input_shape`` (a shape, or a list or dict of shapes)."""
        if self._graph is not None or self.built:
            self.built = True
            return
        if isinstance(input_shape, Mapping):
            inputs: Any = {key: symbolic(shape) for key, shape in cast("dict[str, Any]", input_shape).items()}
        elif input_shape and isinstance(input_shape[0], list | tuple):
            inputs = [symbolic(shape) for shape in input_shape]
        else:
            inputs = symbolic(input_shape)
        self._state.build_input_shape = structure.map_leaves(lambda tensor: tensor.shape, inputs)
        with naming.name_scope("", absolute=True):
            self.call(inputs)
        self.built = True
        self._settle()

    def _ensure_built(self, inputs: Any) -> None:
        # The layers of a subclassed model are built by its call; only a build of its own comes before.
        if not self.built and type(self).build is not Model.build:
            super()._ensure_built(inputs)

    def _compute(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        first_call = not self.built
        outputs: Any = super()._compute(args, kwargs)
        if self._graph is None:
            self.__dict__["_output_names"] = _names_of_outputs(outputs)
        if first_call:
            first = args[0] if args else next(iter(kwargs.values()), None)
            self._state.build_input_shape = structure.map_leaves(lambda leaf: getattr(leaf, "shape", None), first)
            self.__dict__["_input_dtypes"] = structure.map_leaves(lambda leaf: getattr(leaf, "dtype", None), first)
            self.built = True
            self._settle()
        return outputs

    def _cast(self, leaf: Any) -> Any:
        # The layers inside cast for themselves; entrances of a graph have dtypes of their own.
        return leaf

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        if self._graph is None:
            raise NotImplementedError("When subclassing the `Model` class, you should implement a `call` method.")
        if mask is not None:
            pairs = zip(structure.flatten(inputs), structure.flatten(mask), strict=True)
            inputs = structure.pack_as(inputs, [with_mask(leaf, own) for leaf, own in pairs])
        return self._graph.run(inputs)

    def reset_states(self) -> None:
        for layer in self.layers:
            layer.reset_states()

    # -- added losses and metrics --------------------------------------------------------------------------

    def add_loss(self, losses: Any, **kwargs: Any) -> None:
        """As of a layer; symbolic tensors of a model with a graph become part of the graph, and of its config."""
        for loss in structure.flatten(losses):
            if isinstance(loss, KerasTensor):
                self._extend_graph(AddLoss()(loss))
            else:
                super().add_loss(loss, **kwargs)

    def add_metric(self, value: Any, name: str | None = None, aggregation: str | None = None, **kwargs: Any) -> None:
        if isinstance(value, KerasTensor):
            self._extend_graph(AddMetric(aggregation, name)(value))
        else:
            super().add_metric(value, name=name, aggregation=aggregation, **kwargs)

    def _extend_graph(self, tensor: KerasTensor) -> None:
        if self._graph is None:
            raise ValueError("symbolic losses and metrics can be added to a model with a graph only")
        self._graph.extend([tensor])

    # -- config --------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The layers and how they are connected. For a subclassed model ``NotImplementedError``; from Keras 2.12 on the
        arguments it was made with, and the error only where they are more than simple values.
        """
        if self._graph is None:
            # A get_config of its own adds to what it gets here.
            own = type(self).get_config is not Model.get_config
            given, base = ({}, {}) if own else (self._state.arguments, super().get_config())
            found = automatic.config(self, given, base)
            if found is not None:
                return found
            raise NotImplementedError(
                f"{type(self).__name__} is a subclassed model: its architecture is code; define get_config to save it "
                "through a config"
            )
        return {**graph_config(self._graph, self.name), **own_flag(self)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Objects | None = None) -> Any:
        """A new model with fresh weights.

        The config of a graph gives a Functional model (or ``cls(inputs, outputs, name=…)``); any other is given to
        the constructor of a subclass, ``cls(**config)``. ``config`` is not changed. ``ValueError`` if nothing tells what it
        computes.
        """
        if not set(config) >= _GRAPH_KEYS:
            if cls.__module__.startswith(_HERE):
                raise ValueError(
                    f"a {cls.__name__} without code of its own: found the keys {sorted(config)}, expected those of a graph, "
                    f"{sorted(_GRAPH_KEYS)}"
                )
            return cls(**config)
        with CustomObjectScope(custom_objects):
            inputs, outputs, ancillary = graph_from_config(config)
        model = cls(inputs=inputs, outputs=outputs, name=config.get("name"))
        if ancillary and model._graph is not None:
            model._graph.extend(ancillary)
        # Of the model alone: the layers inside have flags of their own.
        model._state.trainable = bool(config.get("trainable", True))
        return model

    def to_json(self, **kwargs: Any) -> str:
        """The architecture as JSON text; ``kwargs`` go to :func:`json.dumps`."""
        from reference_impl.serialization import serialize_model

        form = {**serialize_model(self), "keras_version": dialects.keras_version(), "backend": "tensorflow"}
        return jsonable.dumps(form, place=f"model {self.name!r}", **kwargs)

    def summary(
        self, line_length: int | None = None, positions: Sequence[float] | None = None, print_fn: Any = None
    ) -> None:
        """Print the layers with output shapes and numbers of weights. ``ValueError`` before the model is built."""
        from reference_impl.models.summary import print_summary

        print_summary(self, line_length, positions, print if print_fn is None else print_fn)

    def count_params(self) -> int:
        return sum(variable.array.size for variable in self.weights)

    # -- files ---------------------------------------------------------------------------------------------

    def save(
        self,
        filepath: str | os.PathLike[str] | Any,
        overwrite: bool = True,
        include_optimizer: bool = True,
        save_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Save the whole model; see :func:`reference_impl.models.save_model`."""
        from reference_impl import saving

        saving.save_model(
            self,
            filepath,
            save_format=save_format,
            include_optimizer=include_optimizer,
            overwrite=overwrite,
            **kwargs,
        )

    def save_weights(
        self, filepath: str | os.PathLike[str] | Any, overwrite: bool = True, save_format: str | None = None
    ) -> None:
        """Save the weights: HDF5 for ``.h5``, ``.hdf5``, ``.keras`` or ``save_format="h5"``, else a checkpoint."""
        from reference_impl import saving

        saving.save_weights(self, filepath, save_format=save_format, overwrite=overwrite)

    def load_weights(
        self, filepath: str | os.PathLike[str] | Any, by_name: bool = False, skip_mismatch: bool = False
    ) -> Any:
        """Load weights; from a checkpoint it returns a load status. A load that fails changes nothing."""
        from reference_impl import loading

        return loading.load_weights(self, filepath, by_name=by_name, skip_mismatch=skip_mismatch)


def _names_of_outputs(outputs: Any) -> list[str]:
    if isinstance(outputs, dict):
        return sorted(cast("dict[str, Any]", outputs))
    return [f"output_{i + 1}" for i in range(len(structure.flatten(outputs)))]


class _Own:
    """A model's own weights, in the place of one more layer."""

    def __init__(self, variables: list[Variable]) -> None:
        self.weights = self.trainable_weights = self.non_trainable_weights = variables


def _has_graph_arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return (
        ("inputs" in kwargs and "outputs" in kwargs)
        or (len(args) >= 1 and "outputs" in kwargs)
        or (len(args) >= 2 and all(isinstance(leaf, KerasTensor) for leaf in structure.flatten(list(args[:2]))))
    )
