"""Keras models and weights in HDF5, as Keras 2 writes them and every Keras since 1.0 wrote them.

==================  ================================================================================
``attributes``      texts and lists of texts kept as HDF5 attributes
``stored``          what a file holds of a model's weights, looked at before it is read
``weights``         a group a layer, a dataset a weight
``matching``        which stored weight is which present one, when their names or their order differ
``legacy_weights``  weights of Keras 1, of its Theano backend and of cuDNN, as they are today
``optimizer``       the state of an optimizer, as each generation lists it
``creating``        a new file, and what becomes of it when the disk is full
``model``           a whole model: configuration, compile information, weights, optimizer state
==================  ================================================================================

h5py does the reading and writing. What it raises for a damaged file becomes ``LoadError`` where it is called.
"""
