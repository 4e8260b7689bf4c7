"""What lives in an adapter between two resets: objects by handle, scopes, custom objects, a source namespace."""

from __future__ import annotations

import contextlib
from typing import Any, Callable, Dict, Generator, List, Mapping, Optional, Sequence

from conformance.adapters.custom_objects import make_custom_objects
from conformance.adapters.encoding import (
    EncodingError,
    decode_array,
    decode_value,
    encode_array,
    encode_value,
)
from conformance.adapters.failures import InvalidParams, UnknownHandle
from conformance.adapters.library import Library

Params = Mapping[str, Any]
Result = Dict[str, Any]
Operation = Callable[["Workspace", Params], Result]


@contextlib.contextmanager
def _decoding() -> Generator[None, None, None]:
    """What cannot be decoded is the driver's fault, and neither the library's nor the adapter's."""
    try:
        yield
    except EncodingError as error:
        raise InvalidParams(str(error)) from error


class Workspace:
    """The objects of one library which the driver knows by handle, and how values go in and out."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.keras: Any = library.keras
        self.array_directory: Optional[str] = None
        self.scopes: List[Any] = []
        self.source: Dict[str, Any] = {}
        # Keras 2.13 and later keep built-in optimizers among the custom objects: a fresh start has these.
        self._registered_at_start: Dict[str, Any] = dict(self.keras.utils.get_custom_objects())
        self._start()

    def _start(self) -> None:
        self._objects: Dict[str, Any] = {}
        # New classes each time: the library remembers a registered class by the class itself.
        self._custom = make_custom_objects(self.keras, self.library.tf, self.library.generation)

    def reset(self, seed: int) -> None:
        """Back to the state after the start, with every generator seeded."""
        while self.scopes:
            self.scopes.pop().__exit__(None, None, None)
        registered = self.keras.utils.get_custom_objects()
        registered.clear()
        registered.update(self._registered_at_start)
        self.source = {}
        self._start()
        self.library.forget()
        self.library.seed(seed)

    # Objects by handle

    def add(self, kind: str, thing: Any) -> str:
        """A new handle for `thing`: "model:1"."""
        handle = "{}:{}".format(kind, len(self._objects) + 1)
        self._objects[handle] = thing
        return handle

    def get(self, handle: str) -> Any:
        """The object of a handle. Raises UnknownHandle."""
        if handle not in self._objects:
            raise UnknownHandle("no object {!r} since the last reset".format(handle))
        return self._objects[handle]

    # Custom objects

    def custom(self, identifier: str) -> Any:
        """A member of the named set. Raises InvalidParams if it has no such one."""
        if identifier not in self._custom:
            known = ", ".join(sorted(self._custom))
            raise InvalidParams("no custom object {!r}; there are {}".format(identifier, known))
        return self._custom[identifier]

    def custom_objects(self, names: Mapping[str, str]) -> Dict[str, Any]:
        """What a library takes as custom_objects, of the ids by name."""
        return {name: self.custom(identifier) for name, identifier in names.items()}

    def add_custom(self, name: str, thing: Any) -> str:
        """Keep an object of the user's own until the next reset: the id it is then known by."""
        identifier = "user:{}".format(name)
        self._custom[identifier] = thing
        return identifier

    def _as_custom(self, thing: Any) -> Any:
        for identifier, member in self._custom.items():
            if member is thing:
                return {"$custom": identifier}
        return None

    # Values in and out

    def array_in(self, encoded: Any) -> Any:
        """The NumPy array of an Array of the request. Raises InvalidParams."""
        with _decoding():
            return decode_array(encoded, self.array_directory)

    def arrays_in(self, encoded: Sequence[Any]) -> List[Any]:
        """The NumPy arrays of Arrays."""
        return [self.array_in(one) for one in encoded]

    def one_or_list_in(self, encoded: Sequence[Any]) -> Any:
        """One array bare, several as a list: the way Keras takes inputs and targets."""
        arrays = self.arrays_in(encoded)
        return arrays[0] if len(arrays) == 1 else arrays

    def value_in(self, encoded: Any, layer: Optional[Callable[[Any], Any]] = None) -> Any:
        """The Python value of a Value of the request. Raises InvalidParams.

        `layer` makes the layers in it: the arguments of a layer may hold some, other values none.
        """
        with _decoding():
            return decode_value(encoded, self.array_directory, self.custom, layer=layer)

    def array_out(self, tensor: Any) -> Any:
        """The Array of a tensor, variable or NumPy array of the library."""
        return encode_array(self.library.array(tensor), self.array_directory)

    def arrays_out(self, structure: Any) -> List[Any]:
        """The Arrays of the tensors in a structure, in the library's order of flattening."""
        return [self.array_out(tensor) for tensor in self.library.flatten(structure)]

    def value_out(self, value: Any) -> Any:
        """The Value of a Python value; a member of the named set is given back by its id."""
        return encode_value(value, self.array_directory, self._as_custom)


def given(params: Params, *names: str) -> Dict[str, Any]:
    """Those of the parameters that the request has: what it leaves out is left to the library's default."""
    return {name: params[name] for name in names if params.get(name) is not None}
