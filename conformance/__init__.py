"""keras-conformance: what saving and loading a Keras model must do, and whether an implementation does it."""

__version__ = "2026.11.0"
