"""Optimizers: state, and the steps after loading, exchanged with the real libraries."""

# Runs inside every library too: Python 3.8, the standard library and NumPy alone.

_LATER = {"tf2.4": "the optimizer is later than TensorFlow 2.4"}
_STARTS_ANEW = (
    "the product of its momentums is in checkpoints alone; from other files the library goes on with 1, "
    "which is not what it would have gone on with"
)

OPTIMIZERS = {
    "sgd": dict(optimizer=lambda O: O.SGD(0.1)),
    "sgd-momentum": dict(optimizer=lambda O: O.SGD(0.1, momentum=0.9)),
    "sgd-nesterov": dict(optimizer=lambda O: O.SGD(0.1, momentum=0.9, nesterov=True)),
    "sgd-clipnorm": dict(optimizer=lambda O: O.SGD(0.1, clipnorm=0.1)),
    "sgd-clipvalue": dict(optimizer=lambda O: O.SGD(0.1, clipvalue=0.05)),
    "sgd-schedule": dict(optimizer=lambda O: O.SGD(O.schedules.ExponentialDecay(0.2, 2, 0.5), momentum=0.5)),
    "rmsprop": dict(optimizer=lambda O: O.RMSprop(0.01)),
    "rmsprop-momentum": dict(optimizer=lambda O: O.RMSprop(0.01, momentum=0.9)),
    "rmsprop-centered": dict(optimizer=lambda O: O.RMSprop(0.01, centered=True, epsilon=1e-3)),
    "rmsprop-all": dict(optimizer=lambda O: O.RMSprop(0.01, momentum=0.5, centered=True, epsilon=1e-3)),
    "rmsprop-epsilon": dict(optimizer=lambda O: O.RMSprop(0.01, epsilon=0.1)),
    "adam": dict(optimizer=lambda O: O.Adam(0.01)),
    "adam-amsgrad": dict(optimizer=lambda O: O.Adam(0.01, amsgrad=True)),
    "adam-epsilon": dict(optimizer=lambda O: O.Adam(0.01, beta_1=0.8, beta_2=0.95, epsilon=0.1)),
    "adamax": dict(optimizer=lambda O: O.Adamax(0.01)),
    "adadelta": dict(optimizer=lambda O: O.Adadelta(1.0, epsilon=1e-3)),
    "adagrad": dict(optimizer=lambda O: O.Adagrad(0.1, epsilon=0.1)),
    "nadam": dict(
        optimizer=lambda O: O.Nadam(0.01), but={"tf2.15": _STARTS_ANEW, "tf-keras": _STARTS_ANEW}
    ),
    "ftrl": dict(
        optimizer=lambda O: O.Ftrl(
            0.1, l1_regularization_strength=0.01, l2_regularization_strength=0.02, beta=0.1,
            l2_shrinkage_regularization_strength=0.03,
        )
    ),
    "adamw": dict(optimizer=lambda O: O.AdamW(0.01, weight_decay=0.1), but=_LATER),
    "adam-ema": dict(optimizer=lambda O: O.Adam(0.01, use_ema=True, ema_momentum=0.5), but=_LATER),
    "sgd-weight-decay": dict(optimizer=lambda O: O.SGD(0.1, momentum=0.5, weight_decay=0.2), but=_LATER),
}  # fmt: skip
