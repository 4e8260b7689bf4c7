"""Texts into numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from reference_impl import dialects, functions
from reference_impl.errors import LoadError
from reference_impl.layers.preprocessing.base import Array, CombinerLayer, NamedValue, batches
from reference_impl.layers.preprocessing.category_encoding import CategoryEncoding
from reference_impl.layers.preprocessing.index_lookup import StringLookup

_PUNCTUATION = r"""[!"#$%&()\*\+,-\./:;<=>?@\[\\\]^_`{|}~\']"""
_STANDARDS = ("lower_and_strip_punctuation", "lower", "strip_punctuation")
_SPLITS = {"whitespace": functions.split_words, "character": functions.split_characters}
_KNOW_SIZE = ("keras-2.15", "keras-3")
"""The generations whose layers cannot be called before they know how large their vocabulary is."""
_LATER = ("idf_weights", "sparse", "ragged", "encoding", "vocabulary_size", "oov_method")


class TextVectorization(CombinerLayer):
    """Texts, (batch,) or (batch, 1), to the numbers of their tokens, or to one vector of counts each.

    Texts are standardized, split, made into ``ngrams`` (a number n for 1 to n, a tuple for just these widths) and looked
    up. ``output_mode`` ``int``: (batch, most tokens) int64, filled up with 0, or cut and filled up to
    ``output_sequence_length``; ``binary``, ``count``, ``tf-idf``: (batch, vocabulary), or ``max_tokens`` numbers with
    ``pad_to_max_tokens``; None: the tokens. ``standardize`` and ``split`` may be functions; they are never read from a
    file. There are two forms, as for :mod:`~reference_impl.layers.preprocessing.index_lookup`.
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: Any = "lower_and_strip_punctuation",
        split: Any = "whitespace",
        ngrams: Any = None,
        output_mode: str | None = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool | None = None,
        vocabulary: Any = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("has_input_vocabulary", None)
        later = {key: kwargs.pop(key) for key in _LATER if key in kwargs}
        if set(later) == {"vocabulary_size"}:
            later = {}  # what `get_config` adds to the form of 2.4 in a later dialect; the later form has other keys too
        if split == "character" or standardize in ("lower", "strip_punctuation"):
            later.setdefault("encoding", "utf-8")
        super().__init__(bool(later), **{**kwargs, "dtype": "string"})
        self._check(standardize, split, output_mode, output_sequence_length, later)
        self.__dict__["later"] = later or None
        self.__dict__["ngrams_argument"] = tuple(cast("Any", ngrams)) if isinstance(ngrams, list) else ngrams
        self.max_tokens = max_tokens
        self.standardize = standardize
        self.split = split
        self.output_mode = output_mode
        self.output_sequence_length = output_sequence_length
        self.pad_to_max_tokens = (not later) if pad_to_max_tokens is None else pad_to_max_tokens
        if later:
            self._lookup_layer = StringLookup(
                max_tokens=max_tokens,
                vocabulary=vocabulary,
                mask_token="",
                output_mode=output_mode or "int",
                pad_to_max_tokens=self.pad_to_max_tokens,
                idf_weights=later.get("idf_weights"),
                vocabulary_size=later.get("vocabulary_size"),
                **{key: later[key] for key in ("oov_method",) if key in later},
            )
            return
        mask = "" if output_mode in (None, "int") else None
        self._index_lookup_layer = StringLookup(max_tokens=max_tokens, mask_token=mask, vocabulary=vocabulary)
        if mask is None:
            size = max_tokens if self.pad_to_max_tokens else None
            self._vectorize_layer = CategoryEncoding(max_tokens=size, output_mode=output_mode)
            if vocabulary is not None and size is None:
                self._vectorize_layer.set_num_elements(self._index_lookup_layer.vocabulary_size())

    later: dict[str, Any] | None

    def _check(self, standardize: Any, split: Any, mode: Any, length: Any, later: Mapping[str, Any]) -> None:
        if not (standardize is None or callable(standardize) or standardize in _STANDARDS):
            raise LoadError(f"{self.name}: found standardize {standardize!r}, expected one of {_STANDARDS}")
        if not (split is None or callable(split) or split in _SPLITS):
            raise LoadError(f"{self.name}: found split {split!r}, expected one of {tuple(_SPLITS)}")
        if mode not in (None, "int", "binary", "count", "tf-idf", "multi_hot", "tf_idf"):
            raise ValueError(f"{self.name}: found output_mode {mode!r}, expected int, binary, count or tf-idf")
        if mode != "int" and length is not None:
            raise ValueError("`output_sequence_length` must not be set if `output_mode` is not 'int'.")
        for argument in ("sparse", "ragged"):
            if later.get(argument):
                raise ValueError(f"{self.name}: {argument} outputs are not supported; leave out {argument}=True")

    @property
    def lookup(self) -> StringLookup:
        """The layer that has the vocabulary."""
        return self._index_lookup_layer if self.later is None else self._lookup_layer

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        return self.lookup.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        return self.lookup.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, df_data: Any = None, oov_df_value: Any = None, **kwargs: Any) -> None:
        """Replace the vocabulary. For ``tf-idf`` with its weights: ``df_data`` and ``oov_df_value`` (2.4 form), or
        ``idf_weights``.
        """
        if self.later is not None:
            self.lookup.set_vocabulary(vocabulary, kwargs.get("idf_weights", df_data))
            return
        self.lookup.set_vocabulary(vocabulary)
        self._count_vocabulary()
        if self.output_mode == "tf-idf":
            if df_data is None or oov_df_value is None or len(df_data) != len(vocabulary):
                raise ValueError(f"{self.name}: df_data, one for each token, and oov_df_value must be given")
            self._vectorize_layer.set_tfidf_data(np.insert(np.asarray(df_data), 0, oov_df_value))

    def _count_vocabulary(self) -> None:
        """Vectors of counts are as long as the vocabulary, unless they are filled up."""
        if self.output_mode not in (None, "int") and not (self.pad_to_max_tokens and self.max_tokens is not None):
            self._vectorize_layer.set_num_elements(self.lookup.vocabulary_size())

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Take the tokens of ``data`` as vocabulary, and their document frequencies as weights."""
        rows: list[list[bytes]] = []
        for batch in batches(data):
            column = batch.reshape(-1, 1) if batch.ndim == 1 else batch
            if self.later is None:
                self._ensure_built(functions.constant(column))
            tokens = self.tokens(functions.constant(column)).value
            rows += [[token for token in row if token or self.split is None] for row in tokens.tolist()]
        texts = [[token.decode() for token in row] for row in rows]
        counts = Counter(token for row in texts for token in row)
        containing = Counter(token for row in texts for token in set(row))
        self.lookup.adapt_to(counts, containing, len(texts))
        if self.later is None and self.output_mode not in (None, "int"):
            table = self.lookup.indices
            numbers: list[list[int]] = [
                table(functions.constant(np.array(row, object))).value.tolist() if row else [] for row in rows
            ]
            self._vectorize_layer.adapt_to(numbers)

    def tokens(self, inputs: Any) -> Any:
        """The tokens of texts, rows filled up with empty strings."""
        x: Any = functions.as_string(inputs)
        if self.standardize in ("lower", "lower_and_strip_punctuation"):
            x = functions.string_lower(x)
        if self.standardize in ("strip_punctuation", "lower_and_strip_punctuation"):
            x = functions.regex_replace(x, _PUNCTUATION, "")
        if callable(self.standardize):
            x = self.standardize(x)
        if self.split is not None:
            if len(x.shape) > 1:
                if x.shape[-1] != 1:
                    raise RuntimeError(
                        f"{self.name}: to split texts, the last axis of the inputs must be 1, found {tuple(x.shape)}"
                    )
                x = functions.squeeze(x, -1)
            x = self.split(x) if callable(self.split) else _SPLITS[self.split](x)
        ngrams: Any = self.__dict__["ngrams_argument"]
        if ngrams is None:
            return x
        return functions.ngrams(x, range(1, ngrams + 1) if isinstance(ngrams, int) else ngrams)

    def call(self, inputs: Any) -> Any:
        tokens = self.tokens(inputs)
        if self.output_mode is None:
            return tokens
        if self.output_mode != "int":
            if self.later is not None:
                return self.lookup(tokens)
            numbers = self.lookup.indices(tokens)
            # What only fills up the rows must not be counted.
            padding = functions.equal(tokens, "")
            return self._vectorize_layer.encode(functions.where(padding, functions.zeros_like(numbers) - 1, numbers))
        numbers = self.lookup(tokens)
        if self.output_sequence_length is None:
            return numbers
        return self._to_length(numbers, self.output_sequence_length)

    def _to_length(self, numbers: Any, length: int) -> Any:
        """Rows filled up with zeros and cut to ``length``."""
        rows = functions.shape(numbers)[:1]
        zeros = functions.zeros(functions.concat([rows, np.array([length], np.int32)], axis=0), numbers.dtype)
        return functions.concat([numbers, zeros], axis=1)[:, :length]

    def get_config(self) -> dict[str, Any]:
        later = self.later
        config = {
            **super().get_config(),
            "max_tokens": self.max_tokens,
            "standardize": self.standardize,
            "split": self.split,
            "ngrams": self.__dict__["ngrams_argument"],
            "output_mode": self.output_mode,
            "output_sequence_length": self.output_sequence_length,
            "pad_to_max_tokens": self.pad_to_max_tokens,
        }
        if later is None:
            now = {}
            if dialects.current() in _KNOW_SIZE:
                padded = bool(self.pad_to_max_tokens) and self.max_tokens is not None
                now = {"pad_to_max_tokens": padded, "vocabulary_size": self.lookup.vocabulary_size()}
            return {**config, **now, **self.lookup.given_config()}
        lookup = self.lookup.later_config()
        return {
            **config,
            "sparse": False,
            "ragged": False,
            "vocabulary": lookup["vocabulary"],
            "idf_weights": lookup["idf_weights"],
            "encoding": later.get("encoding", "utf-8"),
            "vocabulary_size": lookup["vocabulary_size"],
        }

    # -- in the .keras format ------------------------------------------------------------------------------------

    def assets(self) -> dict[str, bytes]:
        return self.lookup.assets()

    def set_assets(self, assets: Mapping[str, bytes]) -> None:
        self.lookup.set_assets(assets)
        if self.later is None:
            self._count_vocabulary()

    def named_values(self) -> dict[str, NamedValue]:
        """As its lookup layer has them in the later form, where the layer of 2.4 keeps them in another one."""
        if self.later is not None:
            return self.lookup.named_values()
        if self.output_mode != "tf-idf":
            return {}
        return {"idf_weights": (None, self._stored_idf, self._vectorize_layer.set_tfidf_data)}

    def _stored_idf(self) -> Array:
        weights = self._vectorize_layer.tf_idf_weights
        return np.zeros(0, np.float32) if weights is None else weights.numpy()
