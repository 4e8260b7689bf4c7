"""The custom objects of the guide, word for word: the part of the named set that is not ours."""

# The guide's code has no types, and over an untyped library it could have none that a checker could use.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportUnknownVariableType=false
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUntypedBaseClass=false
# ruff: noqa: RET504, RET505

from __future__ import annotations

from typing import Any, Dict


# fmt: off
def make_guide_objects(keras: Any, tf: Any) -> Dict[str, Any]:
    """The guide's classes and functions by id; the comment beside each says in which section they are."""

    def custom_layer_units() -> Any:  # § Custom layer and function example
        class CustomLayer(keras.layers.Layer):
            def __init__(self, units=32, **kwargs):
                super(CustomLayer, self).__init__(**kwargs)
                self.units = units

            def build(self, input_shape):
                self.w = self.add_weight(
                    shape=(input_shape[-1], self.units),
                    initializer="random_normal",
                    trainable=True,
                )
                self.b = self.add_weight(
                    shape=(self.units,), initializer="random_normal", trainable=True
                )

            def call(self, inputs):
                return tf.matmul(inputs, self.w) + self.b

            def get_config(self):
                config = super(CustomLayer, self).get_config()
                config.update({"units": self.units})
                return config

        return CustomLayer

    def custom_layer_a_verbatim() -> Any:  # § Defining the config methods
        class CustomLayer(keras.layers.Layer):
            def __init__(self, a):
                self.var = tf.Variable(a, name="var_a")

            def call(self, inputs, training=False):
                if training:
                    return inputs * self.var
                else:
                    return inputs

            def get_config(self):
                return {"a": self.var.numpy()}

            # There's actually no need to define `from_config` here, since returning
            # `cls(**config)` is the default behavior.
            @classmethod
            def from_config(cls, config):
                return cls(**config)

        return CustomLayer

    def custom_layer_a() -> Any:  # the same, with the call to super().__init__ the guide forgot
        class CustomLayer(keras.layers.Layer):
            def __init__(self, a, **kwargs):
                super().__init__(**kwargs)
                self.var = tf.Variable(a, name="var_a")

            def call(self, inputs, training=False):
                if training:
                    return inputs * self.var
                else:
                    return inputs

            def get_config(self):
                return {"a": self.var.numpy()}

            @classmethod
            def from_config(cls, config):
                return cls(**config)

        return CustomLayer

    def custom_activation(x):  # § Custom layer and function example
        return tf.nn.tanh(x) ** 2

    class CustomModel(keras.Model):  # § How SavedModel handles custom objects
        def __init__(self, hidden_units):
            super(CustomModel, self).__init__()
            self.dense_layers = [keras.layers.Dense(u) for u in hidden_units]

        def call(self, inputs):
            x = inputs
            for layer in self.dense_layers:
                x = layer(x)
            return x

    class SubclassedModel(keras.Model):  # § APIs for in-memory weight transfer
        def __init__(self, output_dim, name=None):
            super(SubclassedModel, self).__init__(name=name)
            self.output_dim = output_dim
            self.dense_1 = keras.layers.Dense(64, activation="relu", name="dense_1")
            self.dense_2 = keras.layers.Dense(64, activation="relu", name="dense_2")
            self.dense_3 = keras.layers.Dense(output_dim, name="predictions")

        def call(self, inputs):
            x = self.dense_1(inputs)
            x = self.dense_2(x)
            x = self.dense_3(x)
            return x

        def get_config(self):
            return {"output_dim": self.output_dim, "name": self.name}

    class ContrivedModel(keras.Model):  # § Transfer learning example (checkpoints)
        def __init__(self):
            super(ContrivedModel, self).__init__()
            self.first_dense = keras.layers.Dense(64)
            self.kernel = self.add_variable("kernel", shape=(64, 10))
            self.bias = self.add_variable("bias", shape=(10,))

        def call(self, inputs):
            x = self.first_dense(inputs)
            return tf.matmul(x, self.kernel) + self.bias

    class NestedDenseLayer(keras.layers.Layer):  # § HDF5 format
        def __init__(self, units, name=None):
            super(NestedDenseLayer, self).__init__(name=name)
            self.dense_1 = keras.layers.Dense(units, name="dense_1")
            self.dense_2 = keras.layers.Dense(units, name="dense_2")

        def call(self, inputs):
            return self.dense_2(self.dense_1(inputs))

    return {
        "CustomLayer:units": custom_layer_units(),
        "CustomLayer:a": custom_layer_a(),
        "CustomLayer:a-verbatim": custom_layer_a_verbatim(),
        "custom_activation": custom_activation,
        "CustomModel": CustomModel,
        "SubclassedModel": SubclassedModel,
        "ContrivedModel": ContrivedModel,
        "NestedDenseLayer": NestedDenseLayer,
    }

# fmt: on
