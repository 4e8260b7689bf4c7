"""TensorFlow checkpoints (format V2), a layer a module, from the bytes up.

=========================  ==========================================================================
``coding``                 numbers of variable length, checksums
``table``                  the index file: a sorted table of keys and values in checksummed blocks
``ordered_code``           keys that sort as the values they encode (partitioned tensors only)
``entry``                  what the index says of a tensor: element type, shape, where its bytes are
``slices``                 whether the parts of a partitioned tensor fill it
``tensors``                numbers and strings turned into bytes, and back
``writing``, ``bundle``    the files: written streamed, read mapped into memory
``object_graph``           objects and edges turned into keys, and written beside the tensors
``optimizers``             the edges optimizers have had since Keras 2.11
``stored``                 the graph as it comes out of a file
``matching``, ``restore``  the way back: a stored graph laid over the present one
``by_name``                the way back without a graph: checkpoints of TensorFlow 1
``status``                 what became of a restore
``state``                  the file that names the newest checkpoint of a folder
=========================  ==========================================================================

:class:`Bundle` gives the tensors as copies, or with ``copy=False`` as views of the mapped file that take no memory;
``tf.train.load_checkpoint`` is TensorFlow's own face for the copies. :func:`write_bundle` writes tensors in one or
more data files.
"""

from reference_impl.formats.checkpoint.bundle import Bundle, write_bundle

__all__ = ["Bundle", "write_bundle"]
