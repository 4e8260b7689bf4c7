"""Raw facts about a file, read independently of any implementation.

An implementation never testifies about its own files: what the requirements say of layout, names, keys and bytes is
checked with these readers. They interpret as little as they can, run nothing that a file holds, and share no code
with the reference implementation. Every fault is a :class:`WitnessError` naming the file and the place in it.

``hdf5.read``, ``checkpoint.read``, ``savedmodel.read`` and ``keras_zip.read`` each take a path and return facts.
"""

from conformance.witness import checkpoint, hdf5, keras_zip, savedmodel
from conformance.witness.error import WitnessError

__all__ = ["WitnessError", "checkpoint", "hdf5", "keras_zip", "savedmodel"]
