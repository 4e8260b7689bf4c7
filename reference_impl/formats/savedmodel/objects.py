"""The objects of a SavedModel, made anew one by one.

An object of the user's becomes a :class:`GraphObject` with the attributes that it had: variables, functions that can be
called, lists, dicts, tables, further objects. No class is looked up and no config read.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl import naming
from reference_impl.errors import LoadError, LoadOSError
from reference_impl.formats.savedmodel.arguments import Parameters, shown
from reference_impl.formats.savedmodel.functions import ConcreteFunction, RestoredFunction, concrete
from reference_impl.formats.savedmodel.stored import Stored
from reference_impl.graph.attributes import array_of, dtype_of
from reference_impl.graph.function import Library
from reference_impl.ops.lookup import KEYS, VALUES, LookupTable
from reference_impl.tensors import Tensor
from reference_impl.tracking import Trackable
from reference_impl.variables import Variable


class Signatures(Mapping[str, ConcreteFunction]):
    """The signatures of a SavedModel by name: each is called with tensors by keyword, and gives a dict of tensors."""

    def __init__(self, functions: Mapping[str, ConcreteFunction]) -> None:
        self._functions = dict(functions)

    def __getitem__(self, name: str) -> ConcreteFunction:
        try:
            return self._functions[name]
        except KeyError:
            raise KeyError(f"found no signature {name!r}, expected one of {list(self._functions)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def __len__(self) -> int:
        return len(self._functions)

    def __repr__(self) -> str:
        return f"Signatures({self._functions})"


class GraphObject(Trackable):
    """An object of a SavedModel: its attributes are those that were saved, and it is called by what was saved as that.

    It is no Keras model: there is no ``fit`` and no ``predict``.
    """

    signatures: Signatures = Signatures({})
    _untracked = frozenset({"signatures", "_call"})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the saved function. ``TypeError`` if none was saved, ``ValueError`` for arguments that do not fit."""
        function = self.__dict__.get("_call")
        if function is None:
            raise TypeError("what was loaded cannot be called: no function __call__ was saved; use its signatures")
        return function(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        # Saved attributes of these names come first.
        if name == "variables":
            return list(_variables(self))
        if name == "trainable_variables":
            return [variable for variable in self.variables if variable.trainable]
        raise AttributeError(f"what was loaded has no attribute {name!r}; it has {sorted(self.__dict__)}")


def _variables(root: Trackable) -> Iterator[Variable]:
    """All variables below ``root``, each once."""
    seen: set[int] = set()
    waiting: list[Trackable] = [root]
    while waiting:
        node = waiting.pop()
        if node._identity() in seen:
            continue
        seen.add(node._identity())
        if isinstance(node, Variable):
            yield node
        waiting.extend(child for _, child in reversed(node._checkpoint_children()))


class SavedObjects:
    """The objects of one SavedModel as they are made, each once, by number."""

    def __init__(self, stored: Stored) -> None:
        self.stored = stored
        self._made: dict[int, Any] = {}
        self._variables: dict[int, Variable] = {}

    @cached_property
    def library(self) -> Library:
        """The functions of the graph, with the files that they may read."""
        return Library(self.stored.meta_graph.graph_def.library, self.stored.path, assets(self.stored))

    def get(self, number: int) -> Any:
        """The object ``number``. A table is empty until :meth:`captured`."""
        if number not in self._made:
            kind = self.stored.kind(number)
            make = _KINDS.get(kind)
            if make is None:
                self.stored.fail(self.stored.place(number), f"the kind {kind or 'unknown'}", f"one of {list(_KINDS)}")
            make(self, number)
        return self._made[number]

    def captured(self, number: int, function: str) -> Any:
        """What ``function`` is passed for the object ``number``: a variable, a table or a tensor."""
        found = self.get(number)
        if isinstance(found, Variable | Tensor | LookupTable):
            return found
        place = f"function {function}: captured {self.stored.place(number)}"
        return self.stored.fail(place, f"the kind {self.stored.kind(number)}", "a variable, a table or a constant")

    # -- kinds ---------------------------------------------------------------------------------------------

    def _user_object(self, number: int) -> None:
        identifier = self.stored.identifier(number)
        if identifier == "signature_map":
            functions = {name: self.get(child) for name, child in self.stored.children(number).items()}
            for name, found in functions.items():
                if not isinstance(found, ConcreteFunction):
                    self.stored.fail(f"signature {name}", f"a {type(found).__name__}", "a function")
                if not found.takes_keywords_alone:
                    self.stored.fail(f"signature {name}", shown(found.inputs), f"tensors for {list(found.keywords)}")
            self._made[number] = Signatures(functions)
        elif identifier in _CONTAINERS:
            _CONTAINERS[identifier](self, number)
        else:
            self._fill(number, GraphObject())

    def _fill(self, number: int, made: GraphObject) -> None:
        self._made[number] = made
        for name, child in self.stored.children(number).items():
            found = self.get(child)
            if name == "signatures" and not isinstance(found, Signatures):
                self.stored.fail(self.stored.place(child), f"a {type(found).__name__}", "a map of signatures")
            setattr(made, "_call" if name == "__call__" else name, found)

    def _list(self, number: int) -> None:
        made: list[Any] = []
        self._made[number] = made
        made.extend(self.get(child) for _, child in _numbered(self.stored.children(number)))

    def _tuple(self, number: int) -> None:
        self._made[number] = tuple(self.get(child) for _, child in _numbered(self.stored.children(number)))

    def _dict(self, number: int) -> None:
        made: dict[str, Any] = {}
        self._made[number] = made
        made.update({name: self.get(child) for name, child in self.stored.children(number).items()})

    def _variable(self, number: int) -> None:
        stored = self.stored.node(number).variable
        value = self.stored.value(number)
        shape = tuple(dim.size for dim in stored.shape.dim)
        wanted = self._dtype(number, stored.dtype)
        if (shape, wanted) != (value.shape, Tensor(value).dtype) and not (stored.shape.unknown_rank or -1 in shape):
            place = f"{self.stored.place(number)}: the value in variables/"
            self.stored.fail(place, f"{value.dtype}{list(value.shape)}", f"{wanted}{list(shape)}")
        with naming.name_scope("", absolute=True):
            self._made[number] = Variable(value, bool(stored.trainable), stored.name or "Variable", wanted)

    def _dtype(self, number: int, stored: int) -> str:
        try:
            return dtype_of(stored)
        except ValueError as error:
            raise LoadError(f"{self.stored.path}: {self.stored.place(number)}: {error}") from error

    def _constant(self, number: int) -> None:
        name = self.stored.node(number).constant.operation
        found = self._constants.get(name)
        if found is None:
            self.stored.fail(self.stored.place(number), f"no constant {name!r} in the main graph", "one")
        try:
            self._made[number] = Tensor(array_of(found.attr["value"].tensor))
        except ValueError as error:
            raise LoadError(f"{self.stored.path}: main graph: node {name}: {error}") from error

    @cached_property
    def _constants(self) -> dict[str, Any]:
        return {node.name: node for node in self.stored.meta_graph.graph_def.node if node.op == "Const"}

    def _asset(self, number: int) -> None:
        found = self.stored.assets
        index = int(self.stored.node(number).asset.asset_file_def_index)
        if not 0 <= index < len(found):
            self.stored.fail(self.stored.place(number), f"asset {index}", f"one of {len(found)} assets")
        self._made[number] = text_tensor(found[index].path)

    def _function(self, number: int) -> None:
        stored = self.stored.node(number).function
        place = f"{self.stored.path}: {self.stored.place(number)}"
        try:
            parameters = Parameters.of(stored.function_spec) if stored.HasField("function_spec") else Parameters()
        except (ValueError, RecursionError) as error:
            raise LoadError(f"{place}: {error}") from error
        functions = [self._concrete(name) for name in stored.concrete_functions]
        self._made[number] = RestoredFunction(place, parameters, functions)

    def _bare_function(self, number: int) -> None:
        stored = self.stored.node(number).bare_concrete_function
        self._made[number] = self._concrete(stored.concrete_function_name, tuple(stored.argument_keywords))

    def _concrete(self, name: str, keywords: tuple[str, ...] = ()) -> ConcreteFunction:
        return concrete(self.stored, name, self.library, self.captured, keywords)

    def _resource(self, number: int) -> None:
        """A table: made by its own function, then filled from the checkpoint or by another."""
        edges = self.stored.children(number)
        made = self._call_edge(edges, "_create_resource")
        if not isinstance(made, LookupTable):
            self._fill(number, GraphObject())
            return
        self._made[number] = made
        keys = self.stored.keys.get(number, {})
        if KEYS in keys:
            values = [self.stored.value(number, name).ravel().tolist() for name in (KEYS, VALUES)]
            made.clear()
            made.insert(*values)
        else:
            self._call_edge(edges, "_initialize")

    def _call_edge(self, edges: Mapping[str, int], name: str) -> Any:
        if name not in edges:
            return None
        function = self.get(edges[name])
        if not isinstance(function, RestoredFunction | ConcreteFunction):
            return None
        try:
            return function()
        except LoadError:
            raise
        except ValueError as error:
            raise LoadError(f"{self.stored.path}: {self.stored.place(edges[name])}: {error}") from error

    def _captured_tensor(self, number: int) -> None:
        self.stored.fail(
            self.stored.place(number),
            "a tensor that one function captured of another's inside",
            "one that is a constant",
        )


def _numbered(children: Mapping[str, int]) -> list[tuple[int, int]]:
    """The edges of a list in order."""
    return sorted((int(name), child) for name, child in children.items() if name.isdecimal())


def text_tensor(path: str) -> Tensor:
    """A path as a graph is given it."""
    array = np.empty((), object)
    array[()] = path.encode("utf-8", "surrogateescape")
    return Tensor(array)


def assets(stored: Stored) -> dict[str, bytes]:
    """The contents of the folder's assets by their paths."""
    found: dict[str, bytes] = {}
    for path in (asset.path for asset in stored.assets):
        try:
            found[path] = Path(path).read_bytes()
        except OSError as error:
            raise LoadOSError(
                f"{path}: cannot be read: {error.strerror}; expected an asset of the SavedModel"
            ) from error
    return found


_CONTAINERS: dict[str, Callable[[Any, int], None]] = {
    "trackable_list_wrapper": lambda objects, number: objects._list(number),
    "trackable_dict_wrapper": lambda objects, number: objects._dict(number),
    "trackable_tuple_wrapper": lambda objects, number: objects._tuple(number),
}

_KINDS: dict[str, Callable[[Any, int], None]] = {
    "user_object": lambda objects, number: objects._user_object(number),
    "variable": lambda objects, number: objects._variable(number),
    "function": lambda objects, number: objects._function(number),
    "bare_concrete_function": lambda objects, number: objects._bare_function(number),
    "constant": lambda objects, number: objects._constant(number),
    "asset": lambda objects, number: objects._asset(number),
    "resource": lambda objects, number: objects._resource(number),
    "captured_tensor": lambda objects, number: objects._captured_tensor(number),
}
"""By kind: what makes the object. It has to be among those made before its children are looked at."""
