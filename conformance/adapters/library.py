"""One library under test: the names it gives to what all of them have.

`Library` holds the spellings shared by tf.keras, tf_keras, Keras 3 and the reference; a subclass holds what
one of them spells otherwise. There is nothing else in a subclass: what the library does is not its business.
"""

from __future__ import annotations

import platform
import random
from contextlib import nullcontext
from typing import Any, ContextManager, Dict, List, Mapping, Sequence, Tuple

import numpy as np

from conformance.adapters.failures import Unsupported
from conformance.adapters.layer_families import LAYER_FAMILIES

# Capabilities which do not depend on a version: the Keras API of every generation has them.
COMMON_CAPABILITIES = (
    "build.sequential",
    "build.functional",
    "build.subclassed",
    "train",
    "config",
    "json",
    "serialize",
    "registry",
    "clone",
    "summary",
    "part-model",
)


class Library:
    """What an adapter knows of its library.

    keras: the package with the Keras API.
    tf: the TensorFlow names which the guide's custom objects use (matmul, nn.tanh, Variable, …).
    generation: 2 or 3, where the Keras API differs by generation.
    """

    name = ""
    generation = 2
    keras: Any
    tf: Any

    def version(self) -> str:
        """The library's version."""
        return str(self.keras.__version__)

    def libraries(self) -> Dict[str, str]:
        """Versions of what the results may depend on."""
        return {"numpy": np.__version__}

    def python(self) -> str:
        """The version of the interpreter."""
        return platform.python_version()

    def capabilities(self) -> List[str]:
        """What the library has, whether or not it works right."""
        families = ["layers." + family for family, names in self.layer_names().items() if names]
        return [*COMMON_CAPABILITIES, *self.more_capabilities(), *families]

    def more_capabilities(self) -> Sequence[str]:
        """What it has beyond COMMON_CAPABILITIES and layer families."""
        return ()

    def scope(self) -> ContextManager[object]:
        """What every operation runs in."""
        return nullcontext()

    # Classes by name

    def layer_namespaces(self) -> Sequence[Any]:
        """Where the library keeps its layer classes."""
        return (self.keras.layers,)

    def layer_class(self, name: str) -> Any:
        """The layer class of that name. Raises Unsupported if the library has none."""
        for namespace in self.layer_namespaces():
            if hasattr(namespace, name):
                return getattr(namespace, name)
        raise Unsupported("{} {} has no layer class {}".format(self.name, self.version(), name))

    def layer_names(self) -> Mapping[str, List[str]]:
        """The layer classes the library offers, by family."""
        spaces = self.layer_namespaces()
        return {
            family: [name for name in names if any(hasattr(space, name) for space in spaces)]
            for family, names in LAYER_FAMILIES.items()
        }

    def variable_types(self) -> Tuple[Any, ...]:
        """The classes of which a variable is an instance."""
        return (self.tf.Variable,)

    # Tensors

    def tensor(self, array: Any) -> Any:
        """The tensor a user would make of a NumPy array."""
        return self.tf.constant(array)

    def array(self, tensor: Any) -> Any:
        """The NumPy array of a tensor or variable."""
        if hasattr(tensor, "numpy") and not hasattr(tensor, "__array__"):
            return tensor.numpy()  # a variable before TensorFlow 2.3, which NumPy takes for an object
        return np.asarray(tensor)

    def flatten(self, structure: Any) -> List[Any]:
        """The leaves of nested lists, tuples and dicts (these by sorted key), in order."""
        return list(self.tf.nest.flatten(structure))

    def ones(self, shape: Tuple[int, ...], dtype: str) -> Any:
        """A tensor of ones."""
        return self.tf.ones(shape, dtype=dtype)

    def square(self, tensor: Any) -> Any:
        """The squares of a tensor's elements, symbolic if the tensor is."""
        return self.tf.square(tensor)

    def mean(self, tensor: Any) -> Any:
        """The mean of all elements of a tensor, symbolic if the tensor is."""
        return self.tf.reduce_mean(tensor)

    # Models and optimizers

    def compiled(self, model: Any) -> bool:
        """Whether the model was compiled."""
        return bool(model.compiled)

    def optimizer_variables(self, optimizer: Any) -> List[Any]:
        """Every variable the optimizer holds now, in its order."""
        return list(optimizer.variables)

    # The TensorFlow side: checkpoints of chosen objects, functions of a SavedModel, source text

    def tensorflow(self) -> Any:
        """The `tf` of the guide; Unsupported where there is none."""
        return self.tf

    def shard_options(self, size: int) -> Any:
        """What save_weights takes as `options`, for files of at most so many bytes; Unsupported where there is none."""
        raise Unsupported("{} {} does not let its user choose shards".format(self.name, self.version()))

    # Between two examples

    def forget(self) -> None:
        """Forget automatic names, and whatever else the library keeps between models."""
        self.keras.backend.clear_session()

    def seed(self, seed: int) -> None:
        """Seed Python, NumPy and the library."""
        random.seed(seed)
        np.random.seed(seed)
        self.tf.random.set_seed(seed)
