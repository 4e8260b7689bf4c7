"""Tokens into hash buckets, and crossed tokens."""

from __future__ import annotations

import itertools
from typing import Any, cast

from reference_impl import functions
from reference_impl.layers.preprocessing.base import PreprocessingLayer, encode

_DEFAULT_SALT = [0xDECAFCAFFE, 0xDECAFCAFFE]


class Hashing(PreprocessingLayer):
    """Strings or integers to one of ``num_bins`` buckets: FarmHash's fingerprint, or SipHash with a ``salt``.

    ``salt``: an integer, or two. ``mask_value`` and ``output_mode`` (later than TensorFlow 2.4): what is always in
    bucket 0, alone; ``int``, ``one_hot``, ``multi_hot`` or ``count``. On a list of columns (2.4) the buckets are those
    of all combinations of a row.
    """

    later_arguments = frozenset({"mask_value", "output_mode", "sparse"})

    def __init__(self, num_bins: int, salt: Any = None, **kwargs: Any) -> None:
        later = {key: kwargs.pop(key) for key in self.later_arguments if key in kwargs}
        self.__dict__["later"] = later or None
        if later and later.get("output_mode", "int") == "int":
            kwargs.setdefault("dtype", "int64")
        super().__init__(**kwargs)
        if not num_bins or num_bins <= 0:
            raise ValueError(f"{self.name}: `num_bins` must be positive, found {num_bins}")
        if later.get("sparse"):
            raise ValueError(f"{self.name}: sparse outputs are not supported; leave out sparse=True")
        self.num_bins = num_bins
        default = None if later else list(_DEFAULT_SALT)
        self.salt = default if salt is None else [salt, salt] if isinstance(salt, int) else list(salt)
        # TensorFlow 2.4 writes its default into configs and, reading it, takes it for a salt: its models change by being
        # saved. Here the default means what it meant to the model that was saved.
        self.strong_hash = self.salt not in (None, _DEFAULT_SALT)
        if self.salt is not None and len(self.salt) != 2:
            raise ValueError(f"{self.name}: expected a salt of one or two integers, found {salt!r}")

    later: dict[str, Any] | None

    def call(self, inputs: Any) -> Any:
        if isinstance(inputs, list):
            if self.strong_hash:
                raise ValueError(f"{self.name}: a salt for a list of columns is not supported; leave out `salt`")
            return functions.cross_hashed(cast("list[Any]", inputs), self.num_bins)
        later = self.later or {}
        masked = later.get("mask_value") if self.num_bins > 1 else None
        buckets = self._hash(inputs, self.num_bins if masked is None else self.num_bins - 1)
        if masked is not None:
            buckets = functions.where(functions.equal(inputs, masked), functions.zeros_like(buckets), buckets + 1)
        if self.later is None:
            return buckets
        mode = later.get("output_mode", "int")
        if mode == "int":
            return functions.cast_to(buckets, self.compute_dtype)
        return encode(buckets, mode, self.num_bins, self.compute_dtype)

    def _hash(self, inputs: Any, buckets: int) -> Any:
        texts = functions.as_string(inputs)
        if self.strong_hash:
            return functions.to_hash_bucket_strong(texts, buckets, self.salt)
        return functions.to_hash_bucket_fast(texts, buckets)

    def get_config(self) -> dict[str, Any]:
        salt = None if self.salt is None else list(self.salt)
        later = {} if self.later is None else {
            "mask_value": self.later.get("mask_value"),
            "output_mode": self.later.get("output_mode", "int"),
            "sparse": False,
        }  # fmt: skip
        return {**super().get_config(), "num_bins": self.num_bins, "salt": salt, **later}


class HashedCrossing(PreprocessingLayer):
    """Columns of shape (batch,) or (batch, 1) to the bucket of their combination. (Later than TensorFlow 2.4.)"""

    def __init__(self, num_bins: int, output_mode: str = "int", sparse: bool = False, **kwargs: Any) -> None:
        if output_mode == "int":
            kwargs.setdefault("dtype", "int64")
        super().__init__(**kwargs)
        if sparse:
            raise ValueError(f"{self.name}: sparse outputs are not supported; leave out sparse=True")
        self.num_bins = num_bins
        self.output_mode = output_mode

    def call(self, inputs: Any) -> Any:
        columns = [functions.expand_dims(x, -1) if len(x.shape) == 1 else x for x in inputs]
        buckets = functions.cross_hashed(columns, self.num_bins, _DEFAULT_SALT[0])
        if len(inputs[0].shape) == 1:
            buckets = functions.squeeze(buckets, -1)
        if self.output_mode == "int":
            return functions.cast_to(buckets, self.compute_dtype)
        return encode(buckets, self.output_mode, self.num_bins, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_bins": self.num_bins, "output_mode": self.output_mode, "sparse": False}


class CategoryCrossing(PreprocessingLayer):
    """Columns (batch, n), … of strings or integers to all combinations of a row, joined by ``separator``.

    ``depth``: how many columns are combined: a number for 1 to that many, a list for just these; None: all of them.
    (TensorFlow 2.4 only.)
    """

    def __init__(self, depth: Any = None, separator: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.depth = depth
        self.separator = "_X_" if separator is None else separator

    def call(self, inputs: Any) -> Any:
        columns = [functions.expand_dims(x, -1) if len(x.shape) == 1 else x for x in inputs]
        depths = [len(columns)] if not self.depth else self.depth
        outputs = [
            functions.cross(chosen, self.separator)
            for depth in (range(1, depths + 1) if isinstance(depths, int) else depths)
            for chosen in itertools.combinations(columns, depth)
        ]
        if not outputs:
            raise ValueError(
                f"{self.name}: found {len(columns)} columns, expected at least as many as depth, {self.depth}"
            )
        return functions.concat(outputs, axis=1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "depth": self.depth, "separator": self.separator}
