"""The adapter of Keras 2, tf.keras 2.4 to 2.15 and tf_keras: `python tf_keras.py [tensorflow.keras | tf_keras]`."""

# The methods are documented where Library declares them.
# ruff: noqa: D102

# TensorFlow has no type information that pyright could read.
# pyright: reportMissingTypeStubs=false, reportMissingImports=false, reportMissingModuleSource=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import sys

if __name__ == "__main__":
    import start  # noqa: F401  # pyright: ignore[reportUnusedImport]

import importlib
from typing import Any, Dict, List, Sequence

from conformance.adapters.encoding import use_bfloat16
from conformance.adapters.library import Library
from conformance.adapters.server import serve

TF_KERAS = "tensorflow.keras"


class TfKeras(Library):
    """Keras 2 as it is found in the given package."""

    def __init__(self, package: str) -> None:
        import tensorflow

        self.tf = tensorflow
        self.keras = tensorflow.keras if package == TF_KERAS else importlib.import_module(package)
        self.name = "tf.keras" if package == TF_KERAS else package
        use_bfloat16(tensorflow.bfloat16.as_numpy_dtype)  # TensorFlow 2.4 has a dtype of its own

    def version(self) -> str:
        # tf.keras has TensorFlow's version; what it says of itself is "2.4.0" in 2.4.4 and nothing in 2.15.
        return str(self.tf.__version__ if self.name == "tf.keras" else self.keras.__version__)

    def libraries(self) -> Dict[str, str]:
        import h5py

        return {**super().libraries(), "tensorflow": str(self.tf.__version__), "h5py": str(h5py.__version__)}

    def more_capabilities(self) -> Sequence[str]:
        major, minor = (int(part) for part in self.version().split(".")[:2])
        return (
            *("source", "add-loss", "checkpoint", "graph-only"),
            *("save.savedmodel", "load.savedmodel", "save.hdf5", "load.hdf5"),
            *("save-weights.checkpoint", "load-weights.checkpoint", "save-weights.hdf5", "load-weights.hdf5"),
            *(("save.keras", "load.keras") if (major, minor) >= (2, 12) else ()),
            *(("save-weights.weights-h5", "load-weights.weights-h5") if (major, minor) >= (2, 12) else ()),
        )

    def layer_namespaces(self) -> Sequence[Any]:
        # Some layers were experimental before they moved to keras.layers, and some never moved.
        layers = self.keras.layers
        return (layers, layers.experimental, layers.experimental.preprocessing)

    def compiled(self, model: Any) -> bool:
        # No public spelling before Keras 3.
        return bool(model._is_compiled)

    def optimizer_variables(self, optimizer: Any) -> List[Any]:
        # A method until 2.10, a property since, whose list may be called as well.
        variables = optimizer.variables
        return list(variables() if callable(variables) else variables)  # pyright: ignore[reportArgumentType]

    def shard_options(self, size: int) -> Any:
        policy = getattr(self.tf.train.experimental, "MaxShardSizePolicy", None)  # of later versions
        if policy is None:
            return super().shard_options(size)
        return self.tf.train.CheckpointOptions(experimental_sharding_callback=policy(size))

    def seed(self, seed: int) -> None:
        super().seed(seed)
        # Since 2.7 Keras draws the seeds of its initializers from a generator of its own.
        if hasattr(self.keras.utils, "set_random_seed"):
            self.keras.utils.set_random_seed(seed)


if __name__ == "__main__":
    serve(lambda: TfKeras(*(sys.argv[1:] or [TF_KERAS])))
