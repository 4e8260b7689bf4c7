"""A chain of layers."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from reference_impl import naming
from reference_impl.errors import LoadError
from reference_impl.layers import deserialize, serialize
from reference_impl.layers.base import Layer
from reference_impl.layers.input_layer import Input, InputLayer
from reference_impl.layers.node import KerasTensor
from reference_impl.models.config import own_flag
from reference_impl.models.graph import Graph
from reference_impl.models.model import Model
from reference_impl.serialization.registry import CustomObjectScope, Objects
from reference_impl.tensors import Tensor


class Sequential(Model):
    """Layers one after the other.

    With an Input first, or an ``input_shape`` in the first layer, it has a graph and weights at once; else when it is
    first called or built.
    """

    _untracked = frozenset({"_chain"})

    def __init__(self, layers: Sequence[Any] | None = None, name: str | None = None) -> None:
        Layer.__init__(self, name=name)
        self.__dict__["_chain"] = cast("list[Layer]", [])
        # A graph made for the shape of data it was called on gives way to other shapes.
        self.__dict__["_inferred"] = False
        self._extend(layers or ())

    @property
    def _all_layers(self) -> list[Layer]:
        return self.__dict__["_chain"]

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the InputLayer."""
        chain = self._all_layers
        return list(chain[1:] if chain and isinstance(chain[0], InputLayer) else chain)

    def _children(self) -> list[Any]:
        assigned = [child for child in Layer._children(self) if all(child is not layer for layer in self._all_layers)]
        return [*self._all_layers, *assigned]

    def _checkpoint_dependencies(self) -> dict[str, Any]:
        from reference_impl.tracking import layer_edges

        return {**layer_edges(self.layers), **Layer._checkpoint_dependencies(self)}

    def add(self, layer: Any) -> None:
        """Append a layer; ``ValueError`` if its name is taken or it has several outputs."""
        self._extend((layer,))

    def _extend(self, layers: Iterable[Any]) -> None:
        """Append ``layers``. The graph is made when all are there, for more layers are another graph."""
        chain = self._all_layers
        end: Any = None if self._graph is None else self._graph.output_structure
        names = {layer.name for layer in chain}
        for layer in layers:
            self._append(layer, names)
            if end is not None:
                end = _single(chain[-1], chain[-1](end))
            elif isinstance(chain[0], InputLayer):
                end = self._wired()
        if end is not None and len(chain) > 1:
            self._set_graph(Graph(chain[0].output, end))
        self._settle()

    def _append(self, layer: Any, names: set[str]) -> None:
        """``names``: of all layers that there are; this one's is added."""
        if isinstance(layer, KerasTensor):
            layer = layer.history.layer
        if not isinstance(layer, Layer):
            raise TypeError(f"The added layer must be an instance of class Layer. Found: {layer!r}")
        chain = self._all_layers
        if layer.name in names:
            raise ValueError(
                "All layers added to a Sequential model should have unique names. "
                f'Name "{layer.name}" is already the name of a layer in this model; rename it'
            )
        if not chain and not isinstance(layer, InputLayer):
            shape, dtype = _expected_input(layer)
            if shape is not None:
                chain.append(
                    Input(
                        batch_shape(shape), batch_size=shape[0], dtype=dtype, name=f"{layer.name}_input"
                    ).history.layer
                )
                names.add(chain[0].name)
        chain.append(layer)
        names.add(layer.name)

    def pop(self) -> None:
        """Remove the last layer."""
        chain = self._all_layers
        if not self.layers:
            raise TypeError("There are no layers in the model.")
        removed = chain.pop()
        if self._graph is not None:
            removed.inbound_nodes.clear()
            self.__dict__["_graph"] = None
            if self.layers:
                last = self.layers[-1]
                self._set_graph(Graph(chain[0].output, last.inbound_nodes[-1].outputs))
            else:
                self.built = False

    def _wired(self) -> Any:
        """Call all layers, each on the one before; gives the last one's output."""
        chain = self._all_layers
        end = chain[0].output
        for layer in chain[1:]:
            end = _single(layer, layer(end))
        return end

    # -- without an input shape ----------------------------------------------------------------------------

    def build(self, input_shape: Any = None) -> None:
        """Make graph and weights for inputs of ``input_shape``, the batch size included."""
        if self._graph is not None:
            return
        if input_shape is None:
            raise ValueError("Input shape must be defined when calling build on a model that has none")
        self._infer(tuple(input_shape), "float32")

    def _ensure_built(self, inputs: Any) -> None:
        if not isinstance(inputs, Tensor) or not self._all_layers:
            return
        if self._graph is None:
            self._infer(tuple(inputs.shape), inputs.dtype)
        elif self.__dict__["_inferred"]:
            known = tuple(self._graph.inputs[0].shape)
            relaxed = tuple(a if a == b else None for a, b in zip(known, inputs.shape, strict=False))
            if len(known) == len(inputs.shape) and relaxed != known:
                self._infer(relaxed, self._graph.inputs[0].dtype)

    def _infer(self, shape: tuple[int | None, ...], dtype: str) -> None:
        chain = self._all_layers
        if self.__dict__["_inferred"]:
            del chain[0]
            for layer in chain:
                layer.inbound_nodes.pop()
        entrance = Input(batch_shape(shape), batch_size=shape[0], dtype=dtype, name=f"{chain[0].name}_input")
        chain.insert(0, entrance.history.layer)
        self.__dict__["_inferred"] = True
        # The layers' variables are named as if the layers were called here and now, by nobody.
        with naming.name_scope("", absolute=True):
            self._set_graph(Graph(chain[0].output, self._wired()))

    # -- config --------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The name and the layers' config forms, the InputLayer included."""
        return {"name": self.name, "layers": [serialize(layer) for layer in self._all_layers], **own_flag(self)}

    @classmethod
    def from_config(cls, config: Any, custom_objects: Objects | None = None) -> Any:
        """A new model with fresh weights. A plain list of layers (Keras 1) is a config too."""
        whole: Mapping[str, Any] = {"layers": config} if isinstance(config, list) else config
        if cls is not Sequential and "layers" not in whole:
            return cls(**whole)
        entries = whole.get("layers")
        if not isinstance(entries, list):
            raise LoadError(f"the config of a Sequential model needs a list 'layers', found {entries!r:.80}")
        with CustomObjectScope(custom_objects):
            model = cls(name=whole.get("name"))
            model._extend(deserialize(entry) for entry in cast("list[Any]", entries))
        shape = whole.get("build_input_shape")
        if model._graph is None and shape is not None:
            model.build(shape)
        model._state.trainable = bool(whole.get("trainable", True))
        return model


def batch_shape(shape: Sequence[int | None]) -> tuple[int | None, ...]:
    """``shape`` without its first size, the batch."""
    return tuple(shape[1:])


def _single(layer: Layer, outputs: Any) -> KerasTensor:
    if not isinstance(outputs, KerasTensor):
        raise ValueError(
            f"All layers in a Sequential model should have a single output tensor; {layer.name!r} has several; "
            "use the Functional API"
        )
    return outputs


def _expected_input(layer: Layer) -> tuple[tuple[int | None, ...] | None, str]:
    """The input shape and dtype a first layer says it has, looking into nested models."""
    while isinstance(layer, Model) and layer._state.batch_input_shape is None:
        inner = layer._all_layers if isinstance(layer, Sequential) else layer.layers
        if not inner:
            return None, layer.dtype
        layer = inner[0]
    return layer._state.batch_input_shape, layer.dtype
