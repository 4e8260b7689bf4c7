"""Keras models and weights in HDF5, as Keras 2 writes them.

=================  =================================================================================
``attributes``     texts and lists of texts kept as HDF5 attributes
``weights``        a group a layer, a dataset a weight
``matching``       which stored weight is which present one, when their names or their order differ
``model``          a whole model: configuration, compile information, weights, optimizer state
=================  =================================================================================

h5py does the reading and writing. What it raises for a damaged file becomes ``LoadError`` where it is called.
"""
