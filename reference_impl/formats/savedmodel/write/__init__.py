"""SavedModel folders of Keras models, as TensorFlow would write them.

====================  =================================================================================================
``objects``           the graph of objects: what of a model is a node, and under which names
``metadata``          what Keras wants to know of each layer, model and metric: JSON
``functions``         which functions each layer gets, and how they are called
``main_graph``        the graph that loaders of TensorFlow 1 run: variables, inputs, signatures, saving and restoring
``folder``            the files, and how they take the place of older ones
====================  =================================================================================================
"""
