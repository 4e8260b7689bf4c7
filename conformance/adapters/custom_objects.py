"""The named set: the custom objects every adapter supplies, written against the face of its library.

What the guide defines is in guide_objects; the rest says below what it is for. A call of
`make_custom_objects` makes new classes of the module `__main__`, as they would be in a user's script:
libraries record the module with a class, and import a class they do not know from there if they can.
"""

# A class over an untyped library can have no types that a checker could use.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportUnknownVariableType=false
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUntypedBaseClass=false

from __future__ import annotations

from typing import Any, Dict

from conformance.adapters.guide_objects import make_guide_objects


def make_custom_objects(keras: Any, tf: Any, generation: int) -> Dict[str, Any]:
    """The named set by id. generation: 2 or 3, for what the Keras API itself spells differently."""
    named_set = {
        **make_guide_objects(keras, tf),
        **_of_ours(keras, tf),
        **_losses(keras, tf, generation),
        **_of_one_name(keras, tf),
    }
    for custom in named_set.values():
        custom.__module__ = "__main__"
    return named_set


def _of_ours(keras: Any, tf: Any) -> Dict[str, Any]:
    def custom_initializer(shape, dtype=None, **_others):
        return 0.25 * tf.ones(shape, dtype=dtype or "float32")

    def custom_speaker(x):
        print("python code from a file was run")
        return x

    class ScaledModel(keras.Model):
        """A model with a config of its own and the default from_config."""

        def __init__(self, scale, **kwargs):
            super().__init__(**kwargs)
            self.scale = scale
            self.dense = keras.layers.Dense(4, name="dense")

        def call(self, inputs):
            return self.scale * self.dense(inputs)

        def get_config(self):
            return {"scale": self.scale}

    class DefaultScale(keras.Model):
        """A constructor argument with a default, and no get_config."""

        def __init__(self, scale=3, **kwargs):
            super().__init__(**kwargs)
            self.scale = scale
            self.dense = keras.layers.Dense(4, name="dense")

        def call(self, inputs):
            return self.scale * self.dense(inputs)

    class NoConfigLayer(keras.layers.Layer):
        """A constructor argument of its own, and no get_config."""

        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units

        def build(self, input_shape):
            self.w = self.add_weight(name="w", shape=(input_shape[-1], self.units), initializer="ones")

        def call(self, inputs):
            return tf.matmul(inputs, self.w)

    class FailingConfig(keras.layers.Layer):
        """A layer of which no format that needs a config can be saved."""

        def call(self, inputs):
            return inputs

        def get_config(self):
            raise RuntimeError("this layer has no config to give")

    class ValueLayer(keras.layers.Layer):
        """A config that holds whatever it was given."""

        def __init__(self, value=None, **kwargs):
            super().__init__(**kwargs)
            self.value = value

        def call(self, inputs):
            return inputs

        def get_config(self):
            config = super().get_config()
            config.update({"value": self.value})
            return config

    class FrozenInner(keras.layers.Layer):
        """The guide's NestedDenseLayer with a config, whose first inner layer may be frozen from the start."""

        def __init__(self, units, frozen=False, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.frozen = frozen
            self.dense_1 = keras.layers.Dense(units, name="dense_1")
            self.dense_2 = keras.layers.Dense(units, name="dense_2")
            if frozen:
                self.dense_1.trainable = False

        def call(self, inputs):
            return self.dense_2(self.dense_1(inputs))

        def get_config(self):
            config = super().get_config()
            config.update({"units": self.units, "frozen": self.frozen})
            return config

    return {
        "custom_initializer": custom_initializer,
        "custom_speaker": custom_speaker,
        "DefaultScale": DefaultScale,
        "ScaledModel": ScaledModel,
        "NoConfigLayer": NoConfigLayer,
        "FailingConfig": FailingConfig,
        "ValueLayer": ValueLayer,
        "FrozenInner": FrozenInner,
    }


def _losses(keras: Any, tf: Any, generation: int) -> Dict[str, Any]:
    def custom_loss(y_true, y_pred):
        return 2.0 * tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)

    def custom_metric(y_true, y_pred):
        return tf.reduce_mean(tf.abs(y_true - y_pred), axis=-1)

    class LossyLayer(keras.layers.Layer):
        """Adds a loss and a metric of its own when it is called; hands its input on."""

        def __init__(self, factor=0.1, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor
            if generation == 3:  # Keras 3 has no add_metric: a layer keeps a metric object instead
                self.mean = keras.metrics.Mean(name="lossy_mean")

        def call(self, inputs):
            self.add_loss(self.factor * tf.reduce_mean(tf.square(inputs)))
            if generation == 3:
                self.mean.update_state(inputs)
            else:
                self.add_metric(tf.reduce_mean(inputs), name="lossy_mean", aggregation="mean")
            return inputs

        def get_config(self):
            config = super().get_config()
            config.update({"factor": self.factor})
            return config

    return {"custom_loss": custom_loss, "custom_metric": custom_metric, "LossyLayer": LossyLayer}


def _of_one_name(keras: Any, tf: Any) -> Dict[str, Any]:
    """Classes which share a name: `marker` says which of them a library took."""

    def foo(mark: str) -> Any:
        class Foo(keras.layers.Layer):
            marker = mark

            def __init__(self, units=4, **kwargs):
                super().__init__(**kwargs)
                self.units = units

            def build(self, input_shape):
                self.w = self.add_weight(name="w", shape=(input_shape[-1], self.units), initializer="ones")

            def call(self, inputs):
                return tf.matmul(inputs, self.w)

            def get_config(self):
                config = super().get_config()
                config.update({"units": self.units})
                return config

        return Foo

    def narrow() -> Any:
        class Foo(keras.layers.Layer):
            """A Foo that takes no units: the config of the others does not fit it."""

            marker = "narrow"

            def __init__(self, name=None, trainable=True, dtype=None):
                super().__init__(name=name, trainable=trainable, dtype=dtype)

            def call(self, inputs):
                return inputs

            def get_config(self):
                return super().get_config()

        return Foo

    def marked_call(factor: int) -> Any:
        class MarkedCall(keras.layers.Layer):  # the same config, another computation
            marker = str(factor)

            def call(self, inputs):
                return inputs * float(factor)

            def get_config(self):
                return super().get_config()

        return MarkedCall

    class Dense(keras.layers.Dense):
        marker = "mine"

    return {
        "Foo:A": foo("A"),
        "Foo:B": foo("B"),
        "Foo:C": foo("C"),
        "Foo:narrow": narrow(),
        "MarkedCall:1": marked_call(1),
        "MarkedCall:2": marked_call(2),
        "Dense:mine": Dense,
    }
