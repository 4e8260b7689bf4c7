"""Graphs of ops: what a SavedModel stores functions as."""
