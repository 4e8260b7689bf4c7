"""The Keras v3 format: a zip archive ``.keras`` with configuration and weights, and ``.weights.h5``."""
