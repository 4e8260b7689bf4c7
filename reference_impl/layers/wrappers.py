"""Layers around a layer: once for each time, or in both directions of time."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any, Self, cast

import numpy as np

from reference_impl import functions, structure
from reference_impl.functions.recurrent import rnn
from reference_impl.layers.base import Layer
from reference_impl.layers.recurrent import states
from reference_impl.layers.recurrent.base import build_inside
from reference_impl.shapes import as_shape
from reference_impl.tensors import Tensor


def _mean(forward: Any, backward: Any) -> Any:
    return (forward + backward) / 2


def _joined_features(forward: Any, backward: Any) -> Any:
    return functions.concat([forward, backward], axis=-1)


def _both(forward: Any, backward: Any) -> Any:
    return [forward, backward]


MERGES: dict[str | None, Callable[[Any, Any], Any]] = {
    "sum": functions.add,
    "mul": functions.multiply,
    "ave": _mean,
    "concat": _joined_features,
    None: _both,
}  # fmt: skip


class Wrapper(Layer):
    """A layer that has another one, ``layer``."""

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        if not isinstance(cast("Any", layer), Layer):
            raise ValueError(f"{type(self).__name__} takes a layer, found {layer!r:.80}")
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        if not self.layer.built:
            build_inside(self.layer, input_shape, "")
        self.built = True

    def get_config(self) -> dict[str, Any]:
        from reference_impl.layers import serialize

        return {**super().get_config(), "layer": serialize(self.layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        from reference_impl.layers import deserialize

        config = dict(config)
        return cls(deserialize(config.pop("layer"), custom_objects), **config)


class TimeDistributed(Wrapper):
    """``layer`` applied to each time of (batch, time, …) alone: the times are further examples for it."""

    supports_masking = True

    def build(self, input_shape: Any = None) -> None:
        shape = as_shape(input_shape)
        if len(shape) < 3:
            raise ValueError(
                f"`TimeDistributed` {self.name!r} should be passed an `input_shape` with at least 3 dimensions, "
                f"received: {tuple(shape)}"
            )
        super().build(as_shape([shape[0], *shape[2:]]))

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        known = inspect.signature(type(self.layer).call).parameters
        kwargs: dict[str, Any] = {"training": training} if "training" in known else {}
        if self.layer.stateful:
            # The states go from time to time, so these cannot be examples.
            _, outputs, _ = rnn(lambda x, _: (self.layer(x, **kwargs), []), inputs, [], mask)
            return outputs
        if "mask" in known and mask is not None:
            kwargs["mask"] = _joined(mask)
        return structure.map_leaves(lambda leaf: _apart(leaf, inputs), self.layer(_joined(inputs), **kwargs))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The inner layer's mask if it makes one, else one number for each time."""
        if self.layer.stateful:
            return mask
        inner = self.layer.compute_mask(_joined(inputs), None if mask is None else _joined(mask))
        if inner is not None:
            return _apart(inner, inputs)
        while mask is not None and len(mask.shape) > 2:
            mask = functions.reduce_any(mask, axis=-1)
        return mask


def _joined(x: Tensor) -> Tensor:
    """(batch, time, …) to (batch · time, …)."""
    if None not in x.shape[2:]:
        return functions.reshape(x, [-1, *x.shape[2:]])
    return functions.reshape(x, functions.concat([np.array([-1], np.int32), functions.shape(x)[2:]], axis=0))


def _apart(x: Tensor, like: Tensor) -> Tensor:
    """(batch · time, …) to (batch, time, …), the times being those of ``like``."""
    time = like.shape[1]
    if time is not None and None not in x.shape[1:]:
        return functions.reshape(x, [-1, time, *x.shape[1:]])
    sizes = functions.concat([functions.shape(like)[:2], functions.shape(x)[1:]], axis=0)
    return functions.reshape(x, sizes)


class Bidirectional(Wrapper):
    """A recurrent layer forward in time and another one backward, their outputs joined by ``merge_mode``.

    ``merge_mode``: ``"concat"``, ``"sum"``, ``"mul"``, ``"ave"``, or None (a list of both). The two layers are made
    from the config of ``layer``, called ``forward_…`` and ``backward_…``; ``layer`` itself has no weights.
    ``backward_layer`` is taken as it is. With ``return_state`` the outputs are followed by the states of the forward
    layer and those of the backward layer; ``initial_state`` is a list of both. Where the mask is False the outputs of
    sequences are zeros.
    """

    supports_masking = True

    def __init__(
        self,
        layer: Layer,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ) -> None:
        from reference_impl.layers import serialize

        if merge_mode not in MERGES:
            raise ValueError(f"Invalid merge mode {merge_mode!r}; it should be one of {list(MERGES)}")
        super().__init__(layer, **kwargs)
        # It only gives its config.
        self._untrack("layer")
        self.forward_layer: Any = _like(layer)
        if backward_layer is None:
            self.backward_layer: Any = _like(layer, go_backwards=True)
        else:
            form = serialize(backward_layer)
            self.backward_layer = backward_layer
            self._backward_layer_config = form
        self.forward_layer._name = f"forward_{self.forward_layer.name}"
        self.backward_layer._name = f"backward_{self.backward_layer.name}"
        self._check_layers()
        for each in (self.forward_layer, self.backward_layer):
            if hasattr(each, "zero_output_for_mask"):
                each.zero_output_for_mask = each.return_sequences
        self.merge_mode = merge_mode
        if weights:
            half = len(weights) // 2
            self.forward_layer._state.initial_weights = weights[:half]
            self.backward_layer._state.initial_weights = weights[half:]
        self.stateful = cast("Any", layer).stateful
        self.return_sequences = cast("Any", layer).return_sequences
        self.return_state = cast("Any", layer).return_state
        self.__dict__["_constant_count"] = 0

    def _check_layers(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(f"{self.name!r}: the forward layer and the backward layer must differ in `go_backwards`")
        for key in ("stateful", "return_sequences", "return_state"):
            if getattr(forward, key) != getattr(backward, key):
                raise ValueError(
                    f"{self.name!r}: the forward and the backward layer must have the same {key!r}, found "
                    f"{getattr(forward, key)} and {getattr(backward, key)}"
                )

    def build(self, input_shape: Any = None) -> None:
        for each in (self.forward_layer, self.backward_layer):
            if not each.built:
                build_inside(each, input_shape, each.name)
        self.built = True

    def __call__(self, inputs: Any, initial_state: Any = None, constants: Any = None, **kwargs: Any) -> Any:
        count = self.__dict__["_constant_count"]
        inputs, given, constants = states.split_inputs(inputs, initial_state, constants, count)
        extra: list[Any] = [*(given or []), *(constants or [])]
        if not extra:
            return super().__call__(inputs, **kwargs)
        if given is not None and len(given) % 2:
            raise ValueError(
                f"{self.name!r}: `initial_state` should have the states of both layers, found {len(given)} states"
            )
        if constants is not None:
            for each in (self, self.forward_layer, self.backward_layer):
                each.__dict__["_constant_count"] = len(constants)
        if states.are_symbolic(extra, self.name):
            return super().__call__([inputs, *extra], initial_state=None, constants=None, **kwargs)
        return super().__call__(inputs, initial_state=given, constants=constants, **kwargs)

    def call(
        self, inputs: Any, training: Any = None, mask: Any = None, initial_state: Any = None, constants: Any = None
    ) -> Any:
        count = self.__dict__["_constant_count"]
        inputs, given, constants = states.split_inputs(inputs, initial_state, constants, count)
        half = len(given) // 2 if given else 0
        mask = None if mask is None else structure.flatten(mask)[0]
        results: list[Any] = []
        for each, own in ((self.forward_layer, slice(half)), (self.backward_layer, slice(half, None))):
            known = inspect.signature(each.call).parameters
            offered = {
                "training": training,
                "mask": mask,
                "initial_state": given[own] if given else None,
                "constants": constants,
            }
            results.append(each(inputs, **{key: value for key, value in offered.items() if key in known}))
        return self._merged(*results)

    def _merged(self, forward: Any, backward: Any) -> Any:
        end: list[Any] = []
        if self.return_state:
            end = [*forward[1:], *backward[1:]]
            forward, backward = forward[0], backward[0]
        if self.return_sequences:
            time_axis = 0 if getattr(self.forward_layer, "time_major", False) else 1
            backward = functions.reverse(backward, [time_axis])
        output = MERGES[self.merge_mode](forward, backward)
        if not self.return_state:
            return output
        return [*output, *end] if self.merge_mode is None else [output, *end]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        one = structure.flatten(mask)[0] if self.return_sequences else None
        found = one if self.merge_mode is not None else [one, one]
        if not self.return_state:
            return found
        return [*structure.flatten(found), *(None for _ in structure.flatten(self.forward_layer.states) * 2)]

    def reset_states(self) -> None:
        self.forward_layer.reset_states()
        self.backward_layer.reset_states()

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "merge_mode": self.merge_mode}
        if self.__dict__["_constant_count"]:
            config["num_constants"] = self.__dict__["_constant_count"]
        if "_backward_layer_config" in self.__dict__:
            config["backward_layer"] = copy.deepcopy(self._backward_layer_config)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        from reference_impl.layers import deserialize

        config = dict(config)
        count = config.pop("num_constants", 0) or 0
        config["layer"] = deserialize(config["layer"], custom_objects)
        backward = config.pop("backward_layer", None)
        if backward is not None:
            config["backward_layer"] = deserialize(backward, custom_objects)
        layer = cls(**config)
        for each in (layer, layer.forward_layer, layer.backward_layer):
            each.__dict__["_constant_count"] = count
        return layer


def _like(layer: Any, go_backwards: bool = False) -> Any:
    """A new layer of the same config, in the other direction with ``go_backwards``."""
    config = layer.get_config()
    if go_backwards:
        config["go_backwards"] = not config["go_backwards"]
    make: Callable[..., Any] = layer.from_config
    if "custom_objects" not in inspect.signature(make).parameters:
        return make(config)
    cells = [cell for cell in [getattr(layer, "cell", None)] if cell is not None]
    cells += [inner for cell in cells for inner in getattr(cell, "cells", ())]
    return make(config, custom_objects={type(cell).__name__: type(cell) for cell in cells})
