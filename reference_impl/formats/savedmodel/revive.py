"""From the objects of a SavedModel to a model of layers.

Keras gives each of its objects a class name and, where its class has one, a config. An object is made anew:

1. **from its config**, if its class (and every class and function that the config names) is built in, registered or among
   the ``custom_objects``: an instance of that very class, whose present code runs.
2. **from its functions** else (see ``revived``): an object of a class made for it, which computes what the original
   computed when it was saved.

Models that have a graph, Sequential and Functional, are made from the config of the graph and from layers that are each
revived for itself, so that one unknown layer does not take the others with it.

A known class that refuses its config is an error and no reason to take the functions: the user would get other code than
the one that the class stands for.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, cast

from reference_impl import dialects, layers
from reference_impl.errors import LoadError, UnknownObjectError
from reference_impl.formats.savedmodel import restore, revived
from reference_impl.formats.savedmodel.inputs import inputs_of
from reference_impl.formats.savedmodel.metadata import WITHOUT_CONFIG
from reference_impl.formats.savedmodel.objects import SavedObjects
from reference_impl.formats.savedmodel.places import Naming
from reference_impl.formats.savedmodel.stored import SERVE, Stored
from reference_impl.layers.base import Layer
from reference_impl.layers.state import AddedLoss
from reference_impl.models import Functional, Model, Sequential
from reference_impl.models.config import graph_from_config
from reference_impl.ops.lookup import LookupTable, StaticTable
from reference_impl.serialization import generic, later, registry
from reference_impl.serialization.registry import CustomObjectScope, Objects
from reference_impl.variables import Variable

NOT_COMPILED = "No training configuration found in save file, so the model was *not* compiled. Compile it manually."

LAYERS = ("_tf_keras_layer", "_tf_keras_input_layer", "_tf_keras_rnn_layer")
MODELS = ("_tf_keras_model", "_tf_keras_network", "_tf_keras_sequential")

WITHHELD = "withheld_config"
"""Where a config is that TensorFlow 2.4 must not see; see :mod:`reference_impl.formats.savedmodel.write.metadata`."""

_PLACE = re.compile(r"layer-(\d+)")
_GRAPHS = ("Sequential", "Functional", "Model")

Form = Mapping[str, Any]


def load_model(path: str | os.PathLike[str], custom_objects: Objects | None = None, compile: bool = True) -> Any:
    """The model in the SavedModel's folder ``path``, with its weights and its optimizer's state.

    Raises ``LoadError``; names the class or function that is missing. With ``compile`` it is compiled as it was, and a
    model that was not compiled gives a warning.
    """
    stored = Stored(path, preferred=SERVE)
    if not stored.has_metadata:
        raise LoadError(
            f"{stored.path}: found a SavedModel that Keras did not write (no metadata of Keras in it), expected one of a "
            "model; use tf.saved_model.load for its functions and signatures"
        )
    with CustomObjectScope(custom_objects):
        revival = Revival(stored)
        with dialects.reading((stored.metadata(0) or {}).get("keras_version")):
            model = revival.layer(0)
            revival.finish()
        training = (stored.metadata(0) or {}).get("training_config") if compile else None
        if isinstance(training, Mapping) and isinstance(model, Model):
            _compile(model, cast("Form", training), stored)
        elif compile:
            warnings.warn(NOT_COMPILED, stacklevel=4)
        restore.restore(stored, model, revival.read())
    return model


def _compile(model: Model, training: Form, stored: Stored) -> None:
    from reference_impl.training.config import compile_from_config

    name = later.optimizer_name(training)
    is_custom = registry.get_registered_object(name) is not None
    with Naming(stored, "training_config"):
        compile_from_config(model, later.training_config(training, is_custom))


class Revival(SavedObjects):
    """The objects of one SavedModel as they are revived, each once: layers, models and metrics as what they were."""

    def __init__(self, stored: Stored) -> None:
        super().__init__(stored)
        self._making: set[int] = set()
        self._valued: set[int] = set()
        self._unpaired: list[tuple[int, Layer]] = []
        self._configs: list[tuple[int, Layer]] = []
        self._tables: list[tuple[int, StaticTable]] = []
        self._entries: dict[int, Form] = {}
        self._wired: set[int] = set()  # layers that a graph is about to call, which builds them

    def made(self, number: int, thing: Any) -> None:
        """Say that the object ``number`` is ``thing``."""
        self._made[number] = thing

    def read(self) -> set[int]:
        """The variables, by ``id``, that were given their values when they were made."""
        return {id(thing) for number, thing in self._made.items() if number in self._valued}

    def layer(self, number: int) -> Layer:
        """The layer or model ``number``."""
        if self.stored.identifier(number) not in (*LAYERS, *MODELS) or self.stored.metadata(number) is None:
            kind = self.stored.identifier(number) or self.stored.kind(number) or "no object"
            self.stored.fail(self.stored.place(number), f"{kind} without metadata of Keras", "a layer or model")
        return self.get(number)

    def _user_object(self, number: int) -> None:
        known = self.stored.metadata(number)
        identifier = self.stored.identifier(number)
        if known is not None and identifier in (*LAYERS, *MODELS):
            if number in self._making:
                self.stored.fail(self.stored.place(number), "a layer inside itself", "layers that contain others")
            self._making.add(number)
            try:
                self._made[number] = self._layer(number, known)
            finally:
                self._making.discard(number)
        elif known is not None and identifier == "_tf_keras_metric":
            with Naming(self.stored, number):
                self._made[number] = revived.metric(self, number, known)
        else:
            super()._user_object(number)

    def _variable(self, number: int) -> None:
        """A variable that a layer made from its config has is that one."""
        self._pair_all()
        if number not in self._made:
            super()._variable(number)
            self._valued.add(number)

    def _pair_all(self) -> None:
        while self._unpaired:
            self._pair(*self._unpaired.pop())

    def _pair(self, number: int, thing: Any) -> None:
        """Find the stored objects of a layer that was made from its config, and of all below it."""
        children = self.stored.children(number)
        for name, child in thing._checkpoint_children():
            end = children.get(name)
            if end is None or end in self._made or name == "optimizer":
                continue
            if isinstance(child, StaticTable) and self.stored.kind(end) == "resource":
                self._tables.append((end, child))
            if isinstance(child, Variable | Layer):
                self._made[end] = child
            if not isinstance(child, Variable):
                self._pair(end, child)

    def _layer(self, number: int, known: Form) -> Layer:
        unknown: UnknownObjectError | None = None
        if config_of(known) is not None:
            try:
                with Naming(self.stored, number):
                    return self._configured(number, known)
            except UnknownObjectError as error:
                unknown = error
        needed = number == 0 or number in self._wired
        if needed and not revived.has_functions(self.stored, number):
            if unknown is not None:
                raise unknown
            found = f"a {known.get('class_name')} without config and without functions"
            self.stored.fail(self.stored.place(number), found, "one of them")
        with Naming(self.stored, number):
            return revived.make(self, number, known, self.stored.identifier(number) in MODELS)

    # -- from configs --------------------------------------------------------------------------------------

    def _configured(self, number: int, known: Form) -> Layer:
        name = known.get("registered_name") or known.get("class_name")
        entry = self._entries.get(number, known)
        told = entry if entry.get("class_name") == known.get("class_name") else known
        config: Any = config_of(told) or config_of(known)
        if not isinstance(name, str):
            raise LoadError(f"found the class name {name!r}, expected a text")
        custom = registry.lookup(name, {})
        if custom is None and (name in _GRAPHS or known.get("is_graph_network")) and "layers" in config:
            made: Any = self._graph(number, name, config, known)
        else:
            form = later.model_config({"class_name": name, "config": config})
            # The metadata of Keras says which class it is; modules are of config forms.
            made = generic.deserialize(layers.KIND, form)
        if not isinstance(made, Layer):
            raise LoadError(f"found {name}, which gives a {type(made).__name__}, expected a layer or a model")
        if number not in self._wired:
            self._build(number, made, known)
        if isinstance(known.get("trainable"), bool):
            made._state.trainable = known["trainable"]  # its own alone: the layers inside have flags of their own
        self._unpaired.append((number, made))
        self._configs.append((number, made))
        return made

    def finish(self) -> None:
        """What configs do not tell. To be called when everything is made and built.

        Losses that were added from outside: those stored after the ones that a class adds itself. The contents of tables
        that are filled when they are made: a lookup's vocabulary, where its config is without it. What a stateful layer
        keeps from batch to batch.
        """
        for number, layer in self._configs:
            penalties = layer._state.penalties
            for loss in revived.losses(self, number)[len(penalties) :] if layer.built else ():
                penalties.append(AddedLoss(loss, external=True))
            if layer.stateful:
                revived.keep_states(self.stored, number, layer)
        if any(node.WhichOneof("kind") == "resource" for node in self.stored.nodes):
            self._pair_all()
        for number, table in self._tables:
            found = self.get(number)
            if isinstance(found, LookupTable) and not len(table):
                table.insert(list(found.entries), list(found.entries.values()))

    def _of_entry(self, number: int, entry: Form) -> Layer:
        """The layer ``number``, whose config the graph tells too: what Keras says of a lookup itself lacks its vocabulary."""
        self._entries[number] = entry
        return self.layer(number)

    def _graph(self, number: int, name: str, config: Form, known: Form) -> Layer:
        places = sorted(
            (int(match[1]), child)
            for edge, child in self.stored.children(number).items()
            if (match := _PLACE.fullmatch(edge))
        )
        self._wired.update(child for _, child in places)
        if name == "Sequential":
            return self._sequential([child for _, child in places], config, known)
        numbers = {(self.stored.metadata(child) or {}).get("name"): child for _, child in places}

        def make(entry: Form) -> Layer:
            child = numbers.get(entry.get("name"))
            return self._of_entry(child, entry) if child is not None else _plain(entry)

        told = {key: value if key == "layers" else later.model_config(value) for key, value in config.items()}
        inputs, outputs, added = graph_from_config({**told, "layers": _calls_told(told["layers"])}, make)
        model = Functional(inputs=inputs, outputs=outputs, name=config.get("name"))
        if added and model._graph is not None:
            model._graph.extend(added)
        return model

    def _sequential(self, children: list[int], config: Form, known: Form) -> Layer:
        """The entries of the config are the layers in order, and an InputLayer that is no object of its own."""
        entries = cast("list[Form]", config["layers"])
        entrances = [entry for entry in entries[:1] if entry.get("class_name") == "InputLayer"]
        if len(entries) - len(entrances) == len(children):
            pairs = zip(children, entries[len(entrances) :], strict=True)
            made = [*(_plain(entry) for entry in entrances), *(self._of_entry(*pair) for pair in pairs)]
        else:
            made = [_plain(entry) for entry in entries]
        model = Sequential(name=config.get("name"))
        model._extend(made)
        shape = config.get("build_input_shape", known.get("build_input_shape"))
        if model._graph is None and shape is not None:
            model.build(shape)
        if model._graph is None:
            self._build_below(children)
        return model

    def _build(self, number: int, layer: Layer, known: Form) -> None:
        """Make the weights of a layer that nothing called yet, for the inputs that the saved one had."""
        if layer.built:
            return
        inputs = inputs_of(self.stored, number, known)
        if inputs is None:
            return
        try:
            layer(inputs)
        except generic.REFUSALS:
            # Code of the user's own may need values. The layers inside can do without it.
            if not isinstance(layer, Model):
                raise
            layer.built = False
            self._pair(number, layer)
            self._build_below(self.stored.children(number).values())

    def _build_below(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            layer, known = self._made.get(number), self.stored.metadata(number)
            if isinstance(layer, Layer) and known is not None:
                self._build(number, layer, known)


def config_of(known: Form) -> Any:
    """The config in the metadata of an object; None if its class had none."""
    config = known.get("config", known.get(WITHHELD))
    if config is None or (isinstance(config, Mapping) and WITHOUT_CONFIG in config):
        return None
    return cast("Any", config)


def _plain(entry: Form) -> Layer:
    return layers.deserialize(later.model_config(entry))


def _calls_told(entries: list[Form]) -> list[dict[str, Any]]:
    """The entries of a graph with their calls in the terms of 2.4."""
    return [{**entry, "inbound_nodes": later.model_config(entry.get("inbound_nodes", []))} for entry in entries]
