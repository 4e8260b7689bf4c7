"""How layers are called: what a function of a layer takes.

A function is made for certain arguments. Which these are is seen by running the model once on symbolic tensors and looking
at the calls that its layers get: a :class:`Form` each. In it tensors are specs, everything else is as it was given.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import inspect
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from reference_impl import structure
from reference_impl.formats.savedmodel import structured
from reference_impl.formats.savedmodel.structured import NamedTuple, TensorSpec
from reference_impl.layers.base import Layer
from reference_impl.layers.input_layer import InputLayer
from reference_impl.shapes import TensorShape
from reference_impl.tensors import Tensor
from reference_impl.variables import Variable

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True)
class Form:
    """The arguments of a call: ``positional`` by name, ``rest`` of ``*args``, ``keywords`` by name."""

    positional: Mapping[str, Any]
    rest: Sequence[Any]
    keywords: Mapping[str, Any]

    def specs(self) -> list[TensorSpec]:
        """The tensors among the arguments, in the order in which functions take them."""
        leaves = structure.flatten([list(self.positional.values()), list(self.rest), dict(self.keywords)])
        return [leaf for leaf in leaves if isinstance(leaf, TensorSpec)]

    def filled(self, tensors: Iterable[Any]) -> tuple[list[Any], dict[str, Any]]:
        """The arguments with ``tensors`` in the places of the specs."""
        given = iter(tensors)
        whole = [list(self.positional.values()), list(self.rest), dict(self.keywords)]
        leaves = [next(given) if isinstance(leaf, TensorSpec) else leaf for leaf in structure.flatten(whole)]
        positional, rest, keywords = structure.pack_as(whole, leaves)
        return [*positional, *rest], keywords

    def trained(self, training: bool) -> Form:
        """The same with ``training`` set, where it is an argument."""
        changed = {"training": training}
        if "training" in self.keywords:
            return replace(self, keywords={**self.keywords, **changed})
        return replace(self, positional={**self.positional, **changed}) if "training" in self.positional else self

    def unmasked(self) -> Form:
        """The same without masks: so TensorFlow calls a layer when it saves it again."""
        if "mask" in self.keywords:
            return replace(self, keywords={**self.keywords, "mask": None})
        return replace(self, positional={**self.positional, "mask": None}) if "mask" in self.positional else self

    @property
    def signature(self) -> tuple[Any, dict[str, Any]]:
        """As a SavedModel has it: positional arguments, keyword arguments."""
        return (*self.positional.values(), *self.rest), dict(self.keywords)


def form_of(layer: Layer, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Form:
    """The form of ``layer.call(*args, **kwargs)``; defaults are filled in."""
    bound = inspect.signature(type(layer).call).bind(layer, *args, **kwargs)
    bound.apply_defaults()
    positional: dict[str, Any] = {}
    rest: list[Any] = []
    keywords: dict[str, Any] = {}
    for parameter in parameters(layer):
        value = bound.arguments[parameter.name]
        if parameter.kind in _POSITIONAL:
            positional[parameter.name] = _described(value, parameter.name)
        elif parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            rest = [_described(item, f"{parameter.name}_{i}") for i, item in enumerate(value)]
        elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
            keywords.update({name: _described(item, name) for name, item in value.items()})
        else:
            keywords[parameter.name] = _described(value, parameter.name)
    return Form(positional, rest, keywords)


def stored_forms(layer: Layer) -> list[Form]:
    """Those that the functions are for that a revived ``layer`` has instead of a class; none of another layer."""
    functions: list[Any] = list(layer.__dict__.get("revived_functions", {}).values())
    inputs = [concrete.inputs for function in functions[:1] for concrete in function.concrete_functions]
    forms = [form_of(layer, args, kwargs).trained(False) for args, kwargs in inputs]
    known = [form for form in forms if all(spec.shape is not None for spec in form.specs())]
    return [form for place, form in enumerate(known) if form not in known[:place]]


def can_be_told(form: Form) -> bool:
    """Whether a SavedModel has a form for all the arguments."""
    try:
        structured.encode(form.signature)
    except TypeError:
        return False
    return True


def parameters(layer: Layer) -> list[inspect.Parameter]:
    """Those of ``call``, without ``self``."""
    return list(inspect.signature(type(layer).call).parameters.values())[1:]


def argument_spec(layer: Layer, with_training: bool) -> NamedTuple:
    """The arguments of ``call`` as Python's ``FullArgSpec``; ``with_training``: and ``training`` after them."""
    known = parameters(layer)
    positional = [parameter for parameter in known if parameter.kind in _POSITIONAL]
    only_by_name = [parameter for parameter in known if parameter.kind is inspect.Parameter.KEYWORD_ONLY]
    defaults = [_default(p) for p in positional if p.default is not inspect.Parameter.empty]
    names = [parameter.name for parameter in positional]
    if with_training:
        names.append("training")
        defaults.append(False)
    return full_argument_spec(
        ["self", *names],
        varargs=_name_of(known, inspect.Parameter.VAR_POSITIONAL),
        varkw=_name_of(known, inspect.Parameter.VAR_KEYWORD),
        defaults=defaults or None,
        kwonlyargs=[parameter.name for parameter in only_by_name],
        kwonlydefaults={p.name: _default(p) for p in only_by_name if p.default is not inspect.Parameter.empty},
    )


def full_argument_spec(args: Sequence[str] = (), **given: Any) -> NamedTuple:
    """A ``FullArgSpec`` with nothing but ``args`` and what is ``given``."""
    fields = {"args": list(args), "varargs": None, "varkw": None, "defaults": None, "kwonlyargs": []}
    return NamedTuple("FullArgSpec", {**fields, "kwonlydefaults": {}, "annotations": {}, **given})


def _name_of(known: Sequence[inspect.Parameter], kind: Any) -> str | None:
    return next((parameter.name for parameter in known if parameter.kind is kind), None)


def _default(parameter: inspect.Parameter) -> Any:
    if parameter.name == "training":  # not given, it is the mode of the call around this one, or else inference
        return parameter.default is True
    simple = parameter.default is None or isinstance(parameter.default, bool | int | float | str)
    return parameter.default if simple else None


def _described(value: Any, name: str) -> Any:
    """``value`` with a spec for each tensor; several are numbered."""
    tensors = [leaf for leaf in structure.flatten(value) if isinstance(leaf, Tensor | Variable)]
    numbers = {id(leaf): i for i, leaf in enumerate(tensors)}

    def leaf_of(leaf: Any) -> Any:
        if not isinstance(leaf, Tensor | Variable):
            return leaf
        called = name if value is leaf else f"{name}/{numbers[id(leaf)]}"
        return TensorSpec(TensorShape(leaf.shape), leaf.dtype, called)

    return structure.map_leaves(leaf_of, value)


@contextmanager
def watched(layers: Iterable[Layer]) -> Generator[dict[int, list[Form]]]:
    """Inside, the calls of ``layers`` are noted: by the ``id`` of a layer its forms, each once."""
    found: dict[int, list[Form]] = {}
    watched_layers = [layer for layer in layers if not isinstance(layer, InputLayer) and "call" not in layer.__dict__]

    def watching(layer: Layer) -> Any:
        original = layer.call
        forms = found.setdefault(id(layer), [])

        def call(*args: Any, **kwargs: Any) -> Any:
            form = form_of(layer, args, kwargs).trained(False)
            if form not in forms:
                forms.append(form)
            try:
                return original(*args, **kwargs)
            except Exception as error:
                error.add_note(f"in the call of {layer.name!r} for a function of the SavedModel")
                raise

        return call

    for layer in watched_layers:
        layer.__dict__["call"] = watching(layer)
    try:
        yield found
    finally:
        for layer in watched_layers:
            del layer.__dict__["call"]
