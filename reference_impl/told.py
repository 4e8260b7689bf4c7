"""What a saved model will not be when it is loaded: told when it is saved, while something can be done about it.

Formats store the names of classes, the layers of each graph and the functions of calls. What hangs on more than that
is lost without a trace in the file, so that only the writer can know.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, cast


def tell(model: Any, revived: bool) -> None:
    """Warn of what will be lost of ``model``. ``revived``: the format stores functions and revives what has no class."""
    for text in (*_namesakes(model), *_torn(model, revived), *(_forgotten(model) if revived else ()), *_decay(model)):
        warnings.warn(text, stacklevel=4)


def _namesakes(model: Any) -> Iterator[str]:
    """Layers of classes that a loader takes for built-in ones."""
    from reference_impl import layers
    from reference_impl.serialization.registry import get_registered_name

    for layer in model._flatten_layers():
        builtin = layers.BUILTIN.get(get_registered_name(type(layer)))
        if builtin is not None and not _is_ours(type(layer)):
            yield (
                f"layer {layer.name!r} is of a class of yours that is named {type(layer).__name__} like a built-in one: "
                "loaded without custom_objects it is the built-in; rename the class or register it"
            )


def _torn(model: Any, revived: bool) -> Iterator[str]:
    """Layers that are in the graphs of two models, of which the config of each has one."""
    if revived:
        return
    owners: dict[int, str] = {}
    for part in (model, *model._flatten_layers(include_self=False)):
        graph = getattr(part, "_graph", None)
        for layer in graph.layers if graph is not None else ():
            owner = owners.setdefault(id(layer), part.name)
            if owner != part.name and layer.weights:
                yield (
                    f"layer {layer.name!r} is shared by the models {owner!r} and {part.name!r}: loaded it is two layers "
                    "with equal weights, which training will part; save a model that holds it once"
                )


def _forgotten(model: Any) -> Iterator[str]:
    """What is in no function: a training step of one's own, and that a layer hands masks on."""
    for layer in model._flatten_layers():
        if _is_ours(type(layer)):
            continue
        kind: Any = cast("Any", type(layer))
        step = getattr(kind, "train_step", None)
        if step is not None and not _is_ours(step):
            yield f"{layer.name!r}: its train_step is not saved; loaded without the class {type(layer).__name__} it trains by Keras's own"
        if getattr(layer, "supports_masking", False) and not hasattr(layer, "fit"):
            yield (
                f"layer {layer.name!r} hands masks on; loaded without its class {type(layer).__name__} it does not, "
                "and the layers behind it see padded steps"
            )


def _decay(model: Any) -> Iterator[str]:
    names: tuple[str, ...] = getattr(getattr(model, "optimizer", None), "undecayed", ())
    if names:
        yield (
            f"what exclude_from_weight_decay was given ({', '.join(map(repr, names))}) is in no config: "
            "call it again after loading"
        )


def _is_ours(target: Any) -> bool:
    return target.__module__.partition(".")[0] == __name__.partition(".")[0]
