"""How fast the reference is beside the real libraries, and how much memory it takes: ``python -m benchmarks``.

Every number is a ratio or a difference of two things measured in turn, pair by pair, in one run: a slow or busy machine
slows both. The median of the pairs is held against a limit.

=================  ======================================================================================
``measure``        pairs, medians, limits
``hdf5``           ``load_model`` of a small HDF5 file, against tf_keras in its own interpreter
``side``           the program both sides of that run
``checkpoints``    a large checkpoint with checksums, against ``np.fromfile`` of the same bytes
``memory``         anonymous memory that reading and writing it take, above the arrays themselves
``imports``        ``import reference_impl``, against ``import numpy``
=================  ======================================================================================
"""
