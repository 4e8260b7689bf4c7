"""Which rows of a table a loss depends on.

TensorFlow's gradient of an embedding is a list of rows and where they belong. Some optimizers of Keras 2.4 leave alone
the rows that are not in it. Here gradients are whole; this tells them the rows.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_impl.gradients import _from_target_to_sources
from reference_impl.tensors import Tensor
from reference_impl.variables import Variable

Array = npt.NDArray[Any]


def rows_read(target: Tensor, variables: Sequence[Variable]) -> dict[int, Array]:
    """For each variable, by ``id``, of which ``target`` depends only on rows that were gathered, their numbers.

    ``target`` must have been computed inside ``recording()``.
    """
    wanted = {id(variable) for variable in variables}
    reads: dict[int, int] = {}  # tensors that are a whole variable
    rows: dict[int, list[Array]] = {}
    whole: set[int] = set()
    # From the sources on, so that what is read is known before what it is read for.
    for tensor, call in reversed(_from_target_to_sources(target, wanted)):
        if id(call.attrs.get("variable")) in wanted:
            reads[id(tensor)] = id(call.attrs["variable"])
        for position, source in enumerate(call.inputs):
            variable = reads.get(id(source))
            if variable is None:
                continue
            if call.op.name == "Cast":
                reads[id(tensor)] = variable
            elif call.op.name == "GatherV2" and position == 0 and int(call.inputs[2].value) == 0:
                rows.setdefault(variable, []).append(call.inputs[1].value.ravel())
            else:
                whole.add(variable)
    return {key: np.unique(np.concatenate(parts)) for key, parts in rows.items() if key not in whole}
