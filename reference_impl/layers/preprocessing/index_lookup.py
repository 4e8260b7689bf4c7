"""Vocabularies: from tokens to numbers and back.

The numbers are: the mask token 0 (if there is one), then ``num_oov_indices`` for tokens that are not in the vocabulary,
then the vocabulary in order.

Two generations have the same class names and another form:

* **TensorFlow 2.4**: the vocabulary is in the config if it was given as an argument (2.4 itself forgets it there); it is the table ``_table``, part of checkpoints and of nothing else.
* **later**: ``vocabulary`` is in the config if it was given as an argument, else (after ``adapt``) an asset
  ``vocabulary.txt`` of the ``.keras`` format; ``output_mode`` may count tokens instead of numbering them.

A layer has the later form if an argument says so that 2.4 does not know, and keeps to its form in ``get_config``.
``oov_method`` is Keras 3's, in which ``idf_weights`` are in no list of weights.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from reference_impl import dialects, functions
from reference_impl.layers.preprocessing.base import (
    Array,
    CombinerLayer,
    NamedValue,
    batches,
    encode,
    inverse_document_frequency,
)
from reference_impl.ops.lookup import LookupTable, StaticTable
from reference_impl.variables import Variable

_NEVER = np.iinfo(np.int64).max
"""The number of the mask token where tokens are counted: outside every vocabulary."""

_OUTPUT_MODES = {"binary": "multi_hot", "tf-idf": "tf_idf"}
"""Older names of output modes."""


class IndexLookup(CombinerLayer):
    """What :class:`StringLookup` and :class:`IntegerLookup` have in common."""

    token_dtype: ClassVar[str]
    later_arguments = frozenset(
        {
            "output_mode",
            "sparse",
            "pad_to_max_tokens",
            "idf_weights",
            "vocabulary_size",
            "vocabulary_dtype",
            "oov_method",
            "salt",
        }
    )

    def __init__(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary: Any,
        invert: bool,
        later: Mapping[str, Any] | None,
        **kwargs: Any,
    ) -> None:
        given = later or {}
        mode = given.get("output_mode") or "int"
        self.__dict__["output_mode"] = _OUTPUT_MODES.get(mode, mode)
        default = self.token_dtype if later is None else "int64" if self.output_mode == "int" else None
        super().__init__(later is not None, **{**kwargs, "dtype": kwargs.get("dtype", default)})
        self._check(max_tokens, num_oov_indices, invert, given)
        self.max_tokens = max_tokens
        self.num_oov_indices = num_oov_indices
        self.mask_token = mask_token
        self.oov_token = oov_token
        self.invert = invert
        self.__dict__["later"] = None if later is None else dict(later)
        self.__dict__["_given"] = None if vocabulary is None else list(vocabulary)
        numbers, tokens = "int64", self.token_dtype
        unknown = self._oov_start() if num_oov_indices == 1 else -1
        described = (numbers, tokens, oov_token) if invert else (tokens, numbers, unknown)
        if later is None:
            self.table = self._table = LookupTable(*described)
        else:
            self.input_vocabulary = None if vocabulary is None else list(vocabulary)
            self.input_idf_weights = given.get("idf_weights")
            self.table = self.lookup_table = StaticTable(*described)
            if vocabulary is None:
                self.token_counts = LookupTable(tokens, numbers, 0)
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, given.get("idf_weights"))

    def given_config(self) -> dict[str, Any]:
        """The vocabulary if it was an argument. TensorFlow 2.4 forgets it in configs, and takes it from them."""
        given: list[Any] | None = self.__dict__["_given"]
        return {} if given is None else {"vocabulary": list(given)}

    output_mode: str
    later: dict[str, Any] | None
    input_vocabulary: list[Any] | None = None
    _untracked = frozenset({"table"})
    idf_weights: Variable | None = None

    def _check(self, max_tokens: int | None, num_oov_indices: int, invert: bool, given: Mapping[str, Any]) -> None:
        modes = ("int", "one_hot", "multi_hot", "count", "tf_idf")
        if self.output_mode not in modes:
            raise ValueError(f"{self.name}: found output_mode {self.output_mode!r}, expected one of {modes}")
        if max_tokens is not None and max_tokens <= 1:
            raise ValueError(f"If set, `max_tokens` must be greater than 1; {self.name} has {max_tokens}")
        if num_oov_indices < 0 or (invert and num_oov_indices != 1):
            raise ValueError(
                f"{self.name}: found num_oov_indices {num_oov_indices}, expected at least 0, and 1 when `invert` is True"
            )
        if given.get("sparse"):
            raise ValueError(f"{self.name}: sparse outputs are not supported; leave out sparse=True")
        method, salt = given.get("oov_method", "floormod"), given.get("salt")
        if method not in ("floormod", "farmhash"):
            raise ValueError(f"{self.name}: found oov_method {method!r}, expected 'floormod' or 'farmhash'")
        if salt is not None and not isinstance(salt, int) and len(salt) != 2:
            raise ValueError(f"{self.name}: expected a salt of one or two integers, found {salt!r}")

    @property
    def holds_table(self) -> bool:
        """Whether the vocabulary is state, which checkpoints keep beside weights and HDF5 cannot."""
        return self.input_vocabulary is None

    # -- the vocabulary ----------------------------------------------------------------------------------------

    def _oov_start(self) -> int:
        return 1 if self.mask_token is not None and self.output_mode == "int" else 0

    def _token_start(self) -> int:
        return self._oov_start() + self.num_oov_indices

    def _special(self) -> list[Any]:
        return [self.mask_token] * self._oov_start() + [self.oov_token] * self.num_oov_indices

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Replace the vocabulary: tokens in order, with or without the special ones in front.

        ``idf_weights``: one for each token, needed for the output mode ``tf_idf``. ``ValueError`` for tokens that
        come twice, a special token in the middle, or more than ``max_tokens``.
        """
        if isinstance(vocabulary, str):
            raise ValueError(f"{self.name}: a vocabulary file is not read ({vocabulary!r}); give the list of tokens")
        tokens = [self._token(token) for token in np.asarray(vocabulary, dtype=object).ravel().tolist()]
        special = self._special()
        repeated = [token for token, count in Counter(tokens).items() if count > 1]
        found = bool(special) and tokens[: len(special)] == special
        rest = tokens[len(special) :] if found else tokens
        if any(token in rest for token in repeated):
            raise ValueError(
                f"{self.name}: The passed vocabulary has at least one repeated term. Please uniquify your dataset. "
                f"The repeated terms are {repeated}"
            )
        misplaced = [token for token in rest if token in (self.mask_token, *special)]
        if misplaced and (self.later is None or self.mask_token in misplaced):
            raise ValueError(
                f"{self.name}: found the reserved tokens {misplaced} inside the vocabulary; put all of {special} in "
                "front, or none"
            )
        if self.max_tokens is not None and len(special) + len(rest) > self.max_tokens:
            raise ValueError(
                "Attempted to set a vocabulary larger than the maximum vocab size. Passed vocab size is "
                f"{len(special) + len(rest)}, max vocab size is {self.max_tokens}."
            )
        self._fill(rest, found)
        if self.output_mode == "tf_idf" and idf_weights is not False:
            self._set_idf(idf_weights, len(tokens), found)

    def _token(self, token: Any) -> Any:
        if self.token_dtype == "string":
            return token.decode() if isinstance(token, bytes) else str(token)
        return int(token)

    def _fill(self, tokens: list[Any], special_given: bool) -> None:
        start = self._token_start()
        special = [] if self.later is not None else self._special()
        # TensorFlow 2.4 numbers a vocabulary that brings its special tokens from behind them on.
        shifted = special_given and self.later is None and not self.invert
        listed = [*special, *tokens] if shifted else tokens
        numbers = list(range(start, start + len(listed)))
        if special and not shifted:
            listed, numbers = [*special, *listed], [*range(len(special)), *numbers]
        if self.later is None and self.invert and not special_given:
            # The token for unknown numbers has no number itself, so the vocabulary begins behind the mask token.
            listed = [*special[: self._oov_start()], *tokens]
            numbers = list(range(len(listed)))
        self.table.clear()
        self.table.insert(*((numbers, listed) if self.invert else (listed, numbers)))

    def _set_idf(self, weights: Any, count: int, special_given: bool) -> None:
        if weights is None or len(weights) != count:
            raise ValueError(f"{self.name}: `idf_weights` must be given, one for each of the {count} tokens")
        values = np.asarray(weights, np.float32)
        if not special_given:
            values = np.concatenate([np.full(self._token_start(), values.mean(), np.float32), values])
        if (self.later or {}).get("pad_to_max_tokens") and self.max_tokens is not None:
            values = np.pad(values, (0, self.max_tokens - len(values)))
        self._keep_idf(values)

    def _keep_idf(self, values: Any) -> None:
        variable = Variable(np.asarray(values, np.float32), trainable=False)
        if "oov_method" in (self.later or {}) or dialects.current() == "keras-3":
            self.__dict__["idf_weights"] = variable
        else:
            self.idf_weights = variable

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens in the order of their numbers; empty while there is no vocabulary."""
        pairs = [(value, key) for key, value in self.table.entries.items()]
        if self.invert:
            pairs = [(number, token) for token, number in pairs]
        tokens = [self._token(token) for _, token in sorted(pairs)]
        if self.later is None:
            return tokens if include_special_tokens else tokens[len(self._special()) :]
        return [*self._special(), *tokens] if include_special_tokens else tokens

    def vocabulary_size(self) -> int:
        """The number of numbers, special ones included."""
        return len(self.table) + (self._token_start() if self.later is not None else 0)

    vocab_size = vocabulary_size

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Take the tokens of ``data`` as vocabulary: the most frequent first, of equally frequent ones the greatest."""
        counts: Counter[Any] = Counter()
        containing: Counter[Any] = Counter()
        documents = 0
        for batch in batches(data):
            if self.later is None:
                self.build_for(batch)
            rows = batch.reshape(1, -1) if batch.ndim < 2 else batch.reshape(len(batch), -1)
            for row in rows.tolist():
                tokens = [self._token(token) for token in row]
                counts.update(tokens)
                containing.update(set(tokens))
                documents += 1
        self.adapt_to(counts, containing, documents)

    def adapt_to(self, counts: Counter[Any], containing: Counter[Any], documents: int) -> None:
        """Take the tokens counted in ``counts``; ``containing``: in how many of ``documents`` each is."""
        ignored = {self.mask_token} if self.later is None else {self.mask_token, self.oov_token}
        ranked = sorted(((n, token) for token, n in counts.items() if token not in ignored), reverse=True)
        tokens = [token for _, token in ranked]
        if self.max_tokens is not None:
            special = self.num_oov_indices + (self.mask_token is not None if self.later is None else self._oov_start())
            tokens = tokens[: self.max_tokens - special]
        weights = None
        if self.output_mode == "tf_idf":
            weights = inverse_document_frequency([containing[token] for token in tokens], documents)
        if tokens:
            self.set_vocabulary(tokens, weights)

    # -- looking up --------------------------------------------------------------------------------------------

    def call(self, inputs: Any) -> Any:
        numbers = self.indices(inputs)
        if self.output_mode == "int":
            wanted = self.dtype if self.later is not None and not self.invert else numbers.dtype
            return functions.cast_to(numbers, wanted)
        counts = encode(numbers, self.output_mode, self._depth(), self.compute_dtype)
        return counts if self.idf_weights is None else counts * self.idf_weights

    def _depth(self) -> int:
        padded = (self.later or {}).get("pad_to_max_tokens")
        return self.max_tokens if padded and self.max_tokens else self.vocabulary_size()

    def indices(self, inputs: Any) -> Any:
        """The number of each token (the token of each number if ``invert``), in the shape of the inputs."""
        keys = functions.as_string(inputs) if inputs.dtype == "string" else functions.cast_to(inputs, "int64")
        found = functions.lookup(self.table, keys)
        if self.later is not None and self.mask_token is not None:
            key, value = (0, self.mask_token) if self.invert else (self.mask_token, 0)
            if self.output_mode != "int":
                value = _NEVER
            made = value.encode() if isinstance(value, str) else np.array(value, np.int64)
            found = functions.where(functions.equal(keys, key), functions.constant(made), found)
        if self.invert or self.num_oov_indices < 2:
            return found
        later = self.later or {}
        if keys.dtype != "string" and later.get("oov_method") != "farmhash":
            bucket = functions.mod(keys, self.num_oov_indices)
        elif (salt := later.get("salt")) is not None:
            pair = [salt, salt] if isinstance(salt, int) else list(salt)
            bucket = functions.to_hash_bucket_strong(functions.as_string(keys), self.num_oov_indices, pair)
        else:
            bucket = functions.to_hash_bucket_fast(functions.as_string(keys), self.num_oov_indices)
        return functions.where(functions.equal(found, -1), bucket + self._oov_start(), found)

    # -- config and assets -------------------------------------------------------------------------------------

    def later_config(self) -> dict[str, Any]:
        later = self.later or {}
        size = self.vocabulary_size() if len(self.table) else later.get("vocabulary_size")
        # What other generations do not know is written where it says something.
        hashed = {
            key: later[key] for key, off in (("oov_method", "floormod"), ("salt", None)) if later.get(key, off) != off
        }
        return {
            "invert": self.invert,
            "max_tokens": self.max_tokens,
            "num_oov_indices": self.num_oov_indices,
            "oov_token": self.oov_token,
            "mask_token": self.mask_token,
            "output_mode": self.output_mode,
            "sparse": False,
            "pad_to_max_tokens": later.get("pad_to_max_tokens", False),
            **({} if self.token_dtype == "string" else {"vocabulary_dtype": later.get("vocabulary_dtype", "int64")}),
            "idf_weights": later.get("idf_weights"),
            "vocabulary": None if self.input_vocabulary is None else list(self.input_vocabulary),
            "vocabulary_size": size,
            **hashed,
        }

    def assets(self) -> dict[str, bytes]:
        """What the ``.keras`` format keeps beside the weights, by file name; nothing if the config has it."""
        if self.__dict__["_given"] is not None:
            return {}
        return {"vocabulary.txt": "\n".join(map(str, self.get_vocabulary())).encode()}

    def set_assets(self, assets: Mapping[str, bytes]) -> None:
        """Take what :meth:`assets` gave. ``ValueError`` if a token is no integer where it should be one."""
        if self.__dict__["_given"] is None and "vocabulary.txt" in assets:
            tokens, special = assets["vocabulary.txt"].decode().split("\n"), [str(token) for token in self._special()]
            self.set_vocabulary(tokens[len(special) :] if tokens[: len(special)] == special else tokens, False)

    def named_values(self) -> dict[str, NamedValue]:
        """What the v3 formats keep under a name of its own; any shape will do while there is no vocabulary."""
        if self.output_mode != "tf_idf":
            return {}
        shape = (self._depth(),) if len(self.table) else None
        return {"idf_weights": (shape, self._stored_idf, self._keep_idf)}

    def _stored_idf(self) -> Array:
        return np.zeros(self._token_start(), np.float32) if self.idf_weights is None else self.idf_weights.numpy()


def _split_later(kwargs: dict[str, Any], names: Iterable[str]) -> dict[str, Any] | None:
    """Take the arguments of the later generations out of ``kwargs``; None if there are none."""
    for ignored in ("has_input_vocabulary", "has_static_table"):
        kwargs.pop(ignored, None)
    later = {name: kwargs.pop(name) for name in names if name in kwargs}
    return later or None


class StringLookup(IndexLookup):
    """Strings to their numbers in a vocabulary, or back with ``invert``.

    ``max_tokens``: most numbers, special ones included. ``mask_token``: default "" (in the later form None).
    ``oov_token``: what unknown numbers become. ``encoding`` is kept, and UTF-8 is used.
    """

    token_dtype = "string"

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: Any = ...,
        oov_token: Any = "[UNK]",
        vocabulary: Any = None,
        encoding: str | None = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        later = _split_later(kwargs, self.later_arguments)
        mask = ("" if later is None else None) if mask_token is ... else mask_token
        self.__dict__["encoding"] = encoding or "utf-8"
        super().__init__(max_tokens, num_oov_indices, mask, oov_token, vocabulary, invert, later, **kwargs)

    encoding: str

    def get_config(self) -> dict[str, Any]:
        if self.later is not None:
            return {**super().get_config(), **self.later_config(), "encoding": self.encoding}
        return {
            **super().get_config(),
            "invert": self.invert,
            "max_tokens": self.max_tokens,
            "num_oov_indices": self.num_oov_indices,
            "oov_token": self.oov_token,
            "mask_token": self.mask_token,
            "encoding": self.encoding,
            **self.given_config(),
        }


class IntegerLookup(IndexLookup):
    """Integers to their numbers in a vocabulary, or back with ``invert``.

    TensorFlow 2.4 says ``max_values``, ``mask_value`` (default 0), ``oov_value``; later generations ``max_tokens``,
    ``mask_token`` (default None), ``oov_token``.
    """

    token_dtype = "int64"

    def __init__(
        self,
        max_values: int | None = None,
        num_oov_indices: int = 1,
        mask_value: Any = 0,
        oov_value: Any = -1,
        vocabulary: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        later = _split_later(kwargs, {*self.later_arguments, "max_tokens", "mask_token", "oov_token"})
        if later is not None:
            max_values = later.pop("max_tokens", max_values)
            mask_value = later.pop("mask_token", None)
            oov_value = later.pop("oov_token", oov_value)
        super().__init__(max_values, num_oov_indices, mask_value, oov_value, vocabulary, invert, later, **kwargs)

    def get_config(self) -> dict[str, Any]:
        if self.later is not None:
            return {**super().get_config(), **self.later_config()}
        return {
            **super().get_config(),
            "invert": self.invert,
            "num_oov_indices": self.num_oov_indices,
            "max_values": self.max_tokens,
            "mask_value": self.mask_token,
            "oov_value": self.oov_token,
            **self.given_config(),
        }
