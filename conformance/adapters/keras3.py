"""The adapter of Keras 3 on the backend that $KERAS_BACKEND names, TensorFlow or JAX: `python keras3.py`."""

# The methods are documented where Library declares them.
# ruff: noqa: D102

# Keras, TensorFlow and JAX have no type information that pyright could read everywhere.
# pyright: reportMissingTypeStubs=false, reportMissingImports=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportAttributeAccessIssue=false
from __future__ import annotations

if __name__ == "__main__":
    import start  # noqa: F401  # pyright: ignore[reportUnusedImport]

import importlib
from types import SimpleNamespace
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from conformance.adapters.failures import Unsupported
from conformance.adapters.library import Library
from conformance.adapters.server import serve


class Keras3(Library):
    """Keras 3 with the backend it was configured for."""

    name = "keras"
    generation = 3

    def __init__(self) -> None:
        import keras

        self.keras = keras
        self._backend: str = keras.backend.backend()
        self._has_tensorflow = self._backend == "tensorflow"
        self.tf = importlib.import_module("tensorflow") if self._has_tensorflow else _tensorflow_names(keras)

    def libraries(self) -> Dict[str, str]:
        backend = importlib.import_module(self._backend)
        h5py = importlib.import_module("h5py")
        return {**super().libraries(), self._backend: str(backend.__version__), "h5py": str(h5py.__version__)}

    def more_capabilities(self) -> Sequence[str]:
        return (
            *("save.hdf5", "load.hdf5", "save.keras", "load.keras"),
            *("save-weights.weights-h5", "load-weights.weights-h5", "load-weights.hdf5"),
            *(("source", "checkpoint") if self._has_tensorflow else ()),
        )

    def variable_types(self) -> Tuple[Any, ...]:
        return (self.keras.Variable, self.tf.Variable) if self._has_tensorflow else (self.keras.Variable,)

    def tensor(self, array: Any) -> Any:
        return self.keras.ops.convert_to_tensor(array)

    def array(self, tensor: Any) -> Any:
        return self.keras.ops.convert_to_numpy(tensor)

    def flatten(self, structure: Any) -> List[Any]:
        return list(self.keras.tree.flatten(structure))

    def ones(self, shape: Tuple[int, ...], dtype: str) -> Any:
        return self.keras.ops.ones(shape, dtype=dtype)

    def square(self, tensor: Any) -> Any:
        return self.keras.ops.square(tensor)

    def mean(self, tensor: Any) -> Any:
        return self.keras.ops.mean(tensor)

    def tensorflow(self) -> Any:
        if not self._has_tensorflow:
            raise Unsupported("Keras 3 on {} has no TensorFlow".format(self._backend))
        return self.tf

    def seed(self, seed: int) -> None:
        self.keras.utils.set_random_seed(seed)


def _tensorflow_names(keras: Any) -> Any:
    """The TensorFlow names that the custom objects use, as Keras spells them on every backend."""
    ops = keras.ops

    def variable(value: Any, name: Any = None) -> Any:
        # Like tf.Variable, and unlike keras.Variable, it has the dtype of its value.
        dtype = keras.backend.standardize_dtype(ops.convert_to_tensor(value).dtype)
        return keras.Variable(np.asarray(value), dtype=dtype, name=name)

    return SimpleNamespace(
        Variable=variable,
        abs=ops.abs,
        matmul=ops.matmul,
        nn=SimpleNamespace(tanh=ops.tanh),
        ones=ops.ones,
        reduce_mean=ops.mean,
        square=ops.square,
    )


if __name__ == "__main__":
    serve(Keras3)
