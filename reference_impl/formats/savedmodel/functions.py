"""The functions of a SavedModel, as Python calls them.

A Python function that TensorFlow traced is stored as several *concrete* functions, one for each kind of arguments that
it was called with: tensors of certain dtypes and shapes, and certain Python values (``training=True``). A call binds its
arguments to the parameters, takes the concrete function that fits, and gives it the tensors, in order, followed by what
it captured: variables, tables, constants.

=================================  ====================================================================================
``canonicalized_input_signature``  ``((arguments…), {keyword: argument})``: a spec for a tensor, else the very value
``output_signature``               the structure of the results, a spec for each tensor
``bound_inputs``                   the numbers of the objects captured
=================================  ====================================================================================

Functions are parsed when they are first called, and what they capture is looked up then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NoReturn, cast

from reference_impl import structure
from reference_impl.errors import LoadError
from reference_impl.formats.savedmodel import composite, structured
from reference_impl.formats.savedmodel.arguments import Parameters, fitting, leaves, map_specs, shown
from reference_impl.formats.savedmodel.stored import Stored
from reference_impl.formats.savedmodel.structured import TensorSpec, TypeSpec
from reference_impl.graph.call import call
from reference_impl.graph.function import Function, Library
from reference_impl.tensors import Tensor

_NO = object()


class ConcreteFunction:
    """One function of the graph.

    ``name``: in the library. ``inputs``: ``(arguments, keywords)``, a :class:`TensorSpec` for each tensor, else the value
    that it was traced for. ``outputs``: the structure of the results. ``captures``: what is passed after the tensors.
    ``keywords``: of a signature, the names of its tensors in order, else empty.
    """

    def __init__(
        self,
        name: str,
        library: Library,
        inputs: Any,
        outputs: Any,
        captures: Callable[[], list[Any]],
        keywords: Any = (),
    ) -> None:
        self.name = name
        self.library = library
        self.inputs = inputs
        self.outputs = outputs
        self.keywords: tuple[str, ...] = tuple(keywords)
        self._capture = captures

    @property
    def function(self) -> Function:
        """The function of the graph."""
        return self.library.function(self.name)

    @property
    def takes_keywords_alone(self) -> bool:
        """Whether it takes tensors by its ``keywords`` and nothing else, as a signature does."""
        positional, named = self.inputs
        specs = cast("Mapping[str, Any]", named)
        known = all(isinstance(spec, TensorSpec | TypeSpec) for spec in specs.values())
        return known and not positional and set(specs) == set(self.keywords)

    @cached_property
    def captures(self) -> list[Any]:
        """Variables, tables and constants that are passed after the tensors."""
        return self._capture()

    @property
    def structured_input_signature(self) -> Any:
        """``(arguments, keywords)`` as TensorFlow names it."""
        return self.inputs

    @property
    def structured_outputs(self) -> Any:
        """The specs of the results, in their structure."""
        return self.outputs

    @cached_property
    def _specs(self) -> list[TensorSpec]:
        found: list[TensorSpec] = []
        for leaf in leaves(self.outputs):
            if isinstance(leaf, TensorSpec):
                found.append(leaf)
            elif isinstance(leaf, TypeSpec):
                found += composite.specs_of(leaf) or self._refused(leaf)
        return found

    def _refused(self, spec: TypeSpec) -> NoReturn:
        text = f"found a result of the kind {spec.name}, expected a tensor, a sparse or a ragged one"
        raise LoadError(self.library.at(self.name, text))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call with arguments of just this structure. ``ValueError`` if they do not fit."""
        given = (args, kwargs)
        if self.keywords:
            given = self._by_keyword(args, kwargs)
        tensors = fitting(self.inputs, given, True)
        if tensors is None:
            raise ValueError(
                f"{self.library.at(self.name, 'found arguments that do not fit')}: {shown(given)}, expected "
                f"{shown(self.inputs)}"
            )
        return self.run(tensors)

    def _by_keyword(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        named = {**dict(zip(self.keywords, args, strict=False)), **kwargs}
        if len(args) > len(self.keywords) or set(named) != set(self.keywords):
            raise TypeError(
                f"{self.library.at(self.name, 'found the arguments')} {sorted(named)}, expected {list(self.keywords)}"
            )
        positional, keyword = self.inputs
        if keyword:
            return ((), named)
        return (tuple(structure.pack_as(list(positional), [named[name] for name in self.keywords])), {})

    def run(self, tensors: Sequence[Tensor]) -> Any:
        """The results for these tensors. ``LoadError`` for what is wrong with the function."""
        results = iter(call(self.name, self.library, list(tensors), self.captures, self._specs))
        packed = map_specs(lambda spec: _taken(spec, results), self.outputs, every=True)
        if next(results, _NO) is not _NO or any(leaf is _NO for leaf in leaves(packed)):
            text = f"found {len(self._specs)} results in its output signature, which the function does not give"
            raise LoadError(self.library.at(self.name, text))
        return packed

    def __repr__(self) -> str:
        return f"<ConcreteFunction {self.name}{shown(self.inputs)} -> {shown(self.outputs)}>"


def _taken(spec: Any, results: Iterator[Tensor]) -> Any:
    """The result that ``spec`` stands for, of those that are left; what is no spec stands for itself."""
    if isinstance(spec, TensorSpec):
        return next(results, _NO)
    if not isinstance(spec, TypeSpec):
        return spec
    parts = [next(results, _NO) for _ in composite.specs_of(spec) or ()]
    return _NO if _NO in parts else composite.packed(spec, cast("list[Tensor]", parts))


class RestoredFunction:
    """A Python function as it was traced: ``concrete_functions``, and the parameters that choose among them."""

    def __init__(self, place: str, parameters: Parameters, concrete_functions: list[ConcreteFunction]) -> None:
        self.place = place
        self.parameters = parameters
        self.concrete_functions = concrete_functions

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the concrete function that fits. ``ValueError`` if none does, e. g. for tensors of another dtype."""
        chosen, tensors = self.choose(args, kwargs)
        return chosen.run(tensors)

    def choose(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[ConcreteFunction, list[Tensor]]:
        """The concrete function for these arguments, and its tensors; tensors first, values that become some then."""
        bound = self.parameters.bind(args, kwargs)
        for converting in (False, True):
            for concrete in self.concrete_functions:
                tensors = fitting(concrete.inputs, bound, converting)
                if tensors is not None:
                    return concrete, tensors
        options = (
            "; ".join(shown(concrete.inputs) for concrete in self.concrete_functions) or "nothing: it was not traced"
        )
        raise ValueError(
            f"{self.place}: could not find a matching function to call: found the arguments {shown(bound)}, expected "
            f"one of {options}"
        )


# -- out of the file ---------------------------------------------------------------------------------------------


def concrete(
    stored: Stored, name: str, library: Library, resolve: Callable[[int, str], Any], keywords: Iterable[str] = ()
) -> ConcreteFunction:
    """The concrete function ``name``; ``resolve`` gives what the object of a number is, when it is captured."""
    functions = stored.meta_graph.object_graph_def.concrete_functions
    if name not in functions:
        stored.fail(f"function {name}", "no entry in concrete_functions", "one, for an object has the function")
    message = functions[name]
    inputs = _inputs(stored, name, message)
    outputs = decoded(stored, name, message.output_signature)
    bound = list(message.bound_inputs)
    return ConcreteFunction(
        name, library, inputs, outputs, lambda: [resolve(number, name) for number in bound], keywords
    )


def _inputs(stored: Stored, name: str, message: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments and keywords that a function was traced with."""
    inputs = decoded(stored, name, message.canonicalized_input_signature)
    parts = cast("tuple[Any, ...]", inputs) if isinstance(inputs, tuple) else ()
    if len(parts) != 2 or not isinstance(parts[0], tuple) or not isinstance(parts[1], dict):
        stored.fail(f"function {name}: input signature", shown(inputs), "arguments and keywords")
    return cast("tuple[tuple[Any, ...], dict[str, Any]]", parts)


def decoded(stored: Stored, name: str, message: Any) -> Any:
    """A structured value that belongs to the function ``name``; None where there is none."""
    if message.WhichOneof("kind") is None:
        return None
    try:
        return structured.decode(message)
    except (ValueError, RecursionError) as error:
        raise LoadError(f"{stored.path}: function {name}: signature: {error}") from error


_CALLS = ("call_and_return_all_conditional_losses", "call_and_return_conditional_losses", "__call__")


def first_argument(stored: Stored, number: int) -> Any:
    """The specs of the first argument that the object ``number`` is called with; None if no function tells.

    Some layers were traced for lists of tensors too; a tensor is what they are called with.
    """
    found = [
        arguments[0] if arguments else next(iter(keywords.values())) for arguments, keywords in _traces(stored, number)
    ]
    return next((spec for spec in found if isinstance(spec, TensorSpec)), found[0] if found else None)


def _traces(stored: Stored, number: int) -> Iterator[tuple[Any, Any]]:
    edges = stored.children(number)
    functions = stored.meta_graph.object_graph_def.concrete_functions
    for name in _CALLS:
        if name not in edges or stored.kind(edges[name]) != "function":
            continue
        for function in stored.node(edges[name]).function.concrete_functions:
            if function in functions:
                arguments, keywords = _inputs(stored, function, functions[function])
                if arguments or keywords:
                    yield arguments, keywords
