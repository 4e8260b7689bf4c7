"""Models that the tests of the chapter "open" share."""

from __future__ import annotations

from conformance.blueprint import Compile, Functional, Sequential, chain, layer
from conformance.protocol.session import Handle, Session

COMPILED = Compile({"class": "Adam", "args": {"learning_rate": 0.01}}, "mean_squared_error", ["mean_absolute_error"])
MODEL = chain(layer("Dense", units=3, name="first"), layer("Dense", units=2, name="second"), shape=(4,))
COMPILED_MODEL = MODEL.with_compile(COMPILED)
UNBUILT = Sequential(layers=(layer("Dense", units=3, name="first"), layer("Dense", units=2, name="second")))

# Each is a pair: two names that a careless reader or writer takes for one, or that a format has no room for.
NAMES = (("a b", "a_b"), ("größe", "grosse"), ("in", "class"), ("Layer", "layer"), ("a/b", "a"), ("a.b", "a-b"))


def named(names: tuple[str, str]) -> Functional | Sequential:
    """Two layers of equal shape under those names: values exchanged between them would show."""
    return chain(layer("Dense", "l0", units=4, name=names[0]), layer("Dense", "l1", units=4, name=names[1]), shape=(4,))


def weight_count(impl: Session, model: Handle) -> int:
    """The number of weights in the model's layers; asking an unbuilt model itself is an error in Keras 2."""
    return sum(entry.weights for entry in impl.describe(model).layers)
