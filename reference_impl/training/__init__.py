"""Compiling, training, evaluating, predicting."""
