"""What is traced beside the layers of ``cases/``: whole models, built by the reference alone.

Python 3.8, for the libraries read what is said here of a case: ``model`` makes it, ``losses`` are among its outputs,
``one_batch``: it is for batches of three alone. The other keys are those of ``cases/``.
"""


def stateful(keras):
    layers = keras.layers
    return keras.Sequential([layers.InputLayer(batch_input_shape=(3, 4, 2)), layers.LSTM(3, stateful=True)])


def stateful_in_time(keras):
    layers = keras.layers
    inner = layers.LSTM(3, stateful=True)
    return keras.Sequential([layers.InputLayer(batch_input_shape=(3, 2, 4, 2)), layers.TimeDistributed(inner)])


def stateful_with_a_first_state(keras):
    layers = keras.layers
    x, state = (keras.Input(batch_shape=shape) for shape in ((3, 4, 2), (3, 3)))
    return keras.Model([x, state], layers.GRU(3, stateful=True)(x, initial_state=[state]))


def assigning_cell(keras):
    class Cell(keras.layers.AbstractRNNCell):
        state_size = output_size = 3

        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(3)
            self.normalization = keras.layers.BatchNormalization(momentum=0.5)

        def call(self, inputs, states, training=None):
            output = self.normalization(self.dense(inputs) + states[0], training=training)
            return output, [output]

    return keras.Sequential([keras.Input((4, 2)), keras.layers.RNN(Cell(), return_sequences=True)])


def with_losses(keras):
    class Adding(keras.layers.Layer):
        def call(self, inputs):
            self.add_loss(keras.tf.reduce_mean(inputs * inputs))
            self.add_metric(inputs, name="mean_of_inputs")
            return inputs + 1.0

    layers = keras.layers
    regularized = layers.Dense(3, kernel_regularizer="l2", activity_regularizer="l1")
    return keras.Sequential([keras.Input((4,)), regularized, Adding()])


def nested(keras):
    layers = keras.layers
    inner = keras.Sequential([layers.Dense(3, activation="tanh"), layers.BatchNormalization()])
    first, second = keras.Input((4,)), keras.Input((4,))
    return keras.Model([first, second], {"b": inner(first), "a": [layers.Add()([inner(first), inner(second)])]})


def subclassed(keras):
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.first = keras.layers.Dense(3, activation="relu")
            self.last = keras.layers.Dense(2)

        def call(self, inputs, training=None):
            x, y = inputs
            hidden = self.first(x) + self.first(y)
            return self.last(hidden * 2.0 if training else hidden)

    import numpy as np

    model = Model()
    model([np.zeros((1, 4), "float32"), np.zeros((1, 4), "float32")])
    return model


def crossentropies(keras):
    class Losses(keras.layers.Layer):
        def call(self, inputs):
            losses = keras.losses
            kinds = keras.tf.argmax(inputs, axis=-1)
            self.add_loss(losses.sparse_categorical_crossentropy(kinds, inputs, from_logits=True))
            self.add_loss(losses.categorical_crossentropy(keras.tf.nn.softmax(inputs), inputs, from_logits=True))
            return inputs

    return keras.Sequential([keras.Input((4, 3)), Losses()])


CASES = {
    "models/stateful": {"model": stateful, "inputs": [(4, 2)], "one_batch": True},
    "models/stateful-in-time": {"model": stateful_in_time, "inputs": [(2, 4, 2)], "one_batch": True},
    "models/stateful-first-state": {"model": stateful_with_a_first_state, "inputs": [(4, 2), (3,)], "one_batch": True},
    "models/assigning-cell": {"model": assigning_cell, "inputs": [(4, 2)]},
    "models/losses": {"model": with_losses, "inputs": [(4,)], "losses": True},
    "models/nested": {"model": nested, "inputs": [(4,), (4,)]},
    "models/subclassed": {"model": subclassed, "inputs": [(4,), (4,)]},
    "models/crossentropies": {"model": crossentropies, "inputs": [(4, 3)], "losses": True},
}
