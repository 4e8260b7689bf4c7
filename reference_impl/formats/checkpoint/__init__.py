"""TensorFlow checkpoints (format V2), a layer a module, from the bytes up.

========================  ==========================================================================
``table``                 the index file: a sorted table of keys and values in checksummed blocks
``ordered_code``          keys that sort as the values they encode (partitioned tensors only)
``bundle``                tensors: where their bytes are, in what dtype, with which checksum
``object_graph``          objects and edges turned into keys, and written beside the tensors
``restore``               the way back: a stored graph laid over the present one; the load status
========================  ==========================================================================
"""
