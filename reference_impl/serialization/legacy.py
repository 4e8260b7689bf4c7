"""Configurations of Keras 1.x and of Keras 2.0 to 2.3, told in the terms of 2.4.

Keras 1 wrote a Sequential model as a plain list of layers, and had other names for classes, arguments, initializers,
regularizers and constraints: see :mod:`reference_impl.serialization.legacy_arguments`. A Sequential model that begins with
a ``Merge`` of branches becomes a Functional one.

Early 2.x has only a few class names that are gone. What has no counterpart is refused by the layer's name.

Source: the sources of Keras 1.2.2 and of Keras 2.3.1's own converters, and files of both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, cast

from reference_impl.errors import LoadError
from reference_impl.serialization.legacy_arguments import CLASSES, ORDERINGS, Config, layer_form, shape_of_input


def model_config(form: Any, custom: Collection[str] = ()) -> Any:
    """The form (``class_name``, ``config``) of a model or layer, nested ones too, in terms of 2.4; a new one.

    Names in ``custom`` are the user's own classes and left alone. ``LoadError`` for what has no counterpart.
    """
    return _Reading(custom, _usual_ordering(form)).layer(form) if isinstance(form, dict) else form


def training_config(config: Mapping[str, Any]) -> Config:
    """Compile information of Keras 1 and early 2.x; nothing is left to change but what is null."""
    known = dict(config)
    optimizer = known.get("optimizer_config")
    inner = cast("Config", optimizer).get("config") if isinstance(optimizer, dict) else None
    if isinstance(inner, dict):
        kept = {key: value for key, value in cast("Config", inner).items() if (key, value) != ("epsilon", None)}
        known["optimizer_config"] = {**cast("Config", optimizer), "config": kept}
    return known


class _Reading:
    """One config being read. ``ordering``: what layers mean that do not say how their dimensions are ordered."""

    def __init__(self, custom: Collection[str], ordering: str | None) -> None:
        self._custom = custom
        self._ordering = ordering

    def layer(self, form: Any) -> Any:
        if not isinstance(form, dict):
            return form
        known = _with_class_name(cast("Config", form))
        kind, inner = known.get("class_name"), known.get("config")
        # Those who write modules know the names of today.
        if not isinstance(kind, str) or kind in self._custom or "module" in known:
            return known
        if kind == "Sequential" and inner is not None:
            return self._sequential(known)
        if not isinstance(inner, dict):
            return known
        config = cast("Config", inner)
        if isinstance(config.get("layers"), list) and kind != "Merge":
            known["class_name"] = CLASSES.get(kind, kind)
            known["config"] = {**config, "layers": [self.layer(layer) for layer in config["layers"]]}
            return known
        if isinstance(config.get("layer"), dict):
            config = {**config, "layer": self.layer(config["layer"])}
        name = str(known.get("name") or config.get("name"))
        return {**known, **layer_form(name, kind, config, self._ordering)}

    def _sequential(self, form: Config) -> Config:
        inner: Any = form["config"]
        layers: Any = cast("Config", inner).get("layers") if isinstance(inner, dict) else inner
        if not isinstance(layers, list):
            return form
        forms = [_with_class_name(layer) for layer in cast("list[Any]", layers)]
        config = cast("Config", inner) if isinstance(inner, dict) else {"name": form["name"]} if "name" in form else {}
        if forms and forms[0].get("class_name") == "Merge" and "Merge" not in self._custom:
            return {**form, "class_name": "Model", "config": _Joining(self).model(config.get("name"), forms)}
        return {**form, "config": {**config, "layers": [self.layer(layer) for layer in forms]}}


def _with_class_name(form: Any) -> Config:
    """Before Keras 1 a layer's config had its class under ``name`` and its name under ``custom_name``."""
    if not isinstance(form, dict):
        raise LoadError(f"a layer's config is a dict with 'class_name' and 'config', found {form!r:.80}")
    known = dict(cast("Config", form))
    if "class_name" in known or "custom_name" not in known:
        return known
    kind, name = known.pop("name"), known.pop("custom_name")
    return {"class_name": kind, "config": {**known, "name": name}}


def _usual_ordering(form: Any) -> str | None:
    """The data format of the layers that say it, if all say the same in the way of Keras 1."""
    found = {ORDERINGS.get(value) for value in _values(form, "dim_ordering") if isinstance(value, str)}
    return found.pop() if len(found) == 1 else None


def _values(form: Any, wanted: str) -> Iterator[Any]:
    pending = [form]
    while pending:
        item: Any = pending.pop()
        if isinstance(item, dict):
            found = cast("Config", item)
            pending += found.values()
            if wanted in found:
                yield found[wanted]
        elif isinstance(item, list):
            pending += cast("list[Any]", item)


class _Joining:
    """A Sequential model that begins with a Merge, as the graph it is: branches, the merge, the rest."""

    def __init__(self, reading: _Reading) -> None:
        self._reading = reading
        self._layers: dict[str, Config] = {}
        self._inputs: list[list[Any]] = []

    def model(self, name: Any, forms: list[Config]) -> Config:
        last = self._chain(forms, "")
        config: Config = {"name": name} if name else {}
        return {**config, "layers": [*self._layers.values()], "input_layers": self._inputs, "output_layers": [last]}

    def _chain(self, forms: list[Config], branch: str) -> list[Any]:
        """Add these layers one after the other; gives the place of what comes out."""
        if not forms:
            raise LoadError(f"Merge{branch}: found a branch without layers, expected one at least")
        if forms[0].get("class_name") == "Merge":
            config = cast("Config", forms[0]["config"])
            branches = [_with_class_name(item) for item in cast("list[Any]", config.get("layers") or [])]
            places = [self._branch(form) for form in branches]
            plain = {key: value for key, value in config.items() if key != "layers"}
            place = self._add({"class_name": "Merge", "config": plain}, places)
        else:
            place = self._entrance(forms[0])
            place = self._add(forms[0], [place])
        for form in forms[1:]:
            place = self._add(form, [place])
        return place

    def _branch(self, form: Config) -> list[Any]:
        inner: Any = form.get("config")
        layers: Any = cast("Config", inner).get("layers") if isinstance(inner, dict) else inner
        if form.get("class_name") == "Sequential" and isinstance(layers, list):
            return self._chain([_with_class_name(item) for item in cast("list[Any]", layers)], " of branches")
        if isinstance(layers, list):
            for layer in self._reading.layer(form)["config"]["layers"]:
                self._layers[layer["name"]] = layer
            self._inputs += cast("Config", inner)["input_layers"]
            return list(cast("Config", inner)["output_layers"][0])
        return self._chain([form], "")

    def _entrance(self, form: Config) -> list[Any]:
        config = dict(cast("Config", form["config"]))
        shape_of_input(config, keep=False)
        shape = config.get("batch_input_shape")
        if form["class_name"] == "Embedding" and shape is None:
            shape = [None, cast("Config", form["config"]).get("input_length")]
        if shape is None:
            raise LoadError(
                f"layer {config.get('name')!r}: found no batch_input_shape, expected one: it begins a branch"
            )
        name = f"{config.get('name')}_input"
        if name not in self._layers:
            self._inputs.append([name, 0, 0])
            entrance = {"batch_input_shape": shape, "name": name, "dtype": "float32", "sparse": False}
            self._layers[name] = {"class_name": "InputLayer", "name": name, "config": entrance, "inbound_nodes": []}
        return [name, 0, 0]

    def _add(self, form: Config, places: list[list[Any]]) -> list[Any]:
        """A call of the layer; one that is there already is shared."""
        known = self._reading.layer(form)
        name = str(
            known["config"].get("name") or known.get("name") or f"{known['class_name'].lower()}_{len(self._layers)}"
        )
        known = {**known, "config": {**known["config"], "name": name}}
        nested = "layers" in known["config"]
        entry = self._layers.setdefault(name, {**known, "name": name, "inbound_nodes": []})
        entry["inbound_nodes"].append([[*place, {}] for place in places])
        return [name, len(entry["inbound_nodes"]) - (0 if nested else 1), 0]
