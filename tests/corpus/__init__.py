"""Model files from the wild, read and compared with what the library that wrote them computes.

The files are not in the repository. ``KERAS_CONFORMANCE_CORPUS`` names a folder that has them and an ``INDEX.jsonl``: a
line a model, with ``id``, ``files`` (path in the folder → SHA-256), ``format``, ``keras_version`` and, per loading
library (``24``, ``215``, ``tfk``, ``k3``), ``results``: whether it loads, the number of weights ``nw`` and parameters
``npar``, the sum of the weights' absolute values ``wsum``, and per output ``fwd``: shape, sum, sum of absolute values.
The inputs are ``RandomState(0).rand(*shape)`` with batch 2 and 16 for other unknown sizes, drawn in the order of the
model's inputs; integer inputs are ``(x * 3)``, cast. A file ``…_inputs_and_outputs.h5`` beside a model has inputs and
predictions of its own.
"""
