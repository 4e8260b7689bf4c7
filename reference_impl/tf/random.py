"""``tf.random``."""

from reference_impl.functions import random_normal as normal
from reference_impl.functions import random_uniform as uniform
from reference_impl.functions import set_seed, truncated_normal

__all__ = ["normal", "set_seed", "truncated_normal", "uniform"]
