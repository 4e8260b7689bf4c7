"""Pairing stored with present weights."""

from __future__ import annotations

import pytest

from reference_impl.formats.hdf5.matching import Weight, match


@pytest.mark.parametrize(
    ("stored", "present", "expected"),
    [
        ([], [], []),
        (["a/k", "a/b"], ["a/b", "a/k"], [1, 0]),  # another order
        (["dense/k", "dense/b"], ["dense_7/k", "dense_7/b"], [0, 1]),  # another counter
        (["n/d_2/k", "n/d_2/b", "n/d_1/k", "n/d_1/b"], ["n/d_5/k", "n/d_5/b", "n/d_6/k", "n/d_6/b"], [2, 3, 0, 1]),
        (["d_9/k", "d_10/k"], ["d_10/k", "d_11/k"], [0, 1]),  # by number, not by text
        (["n/w", "n/d/k"], ["m/d_2/k", "m/w"], [1, 0]),
        (["a/one", "a/two"], ["b/kernel", "b/bias"], [0, 1]),  # one layer's: in order
        (["n/a/k", "n/b/k"], ["n/x/k", "n/y/k"], None),  # cannot be known
        (["n/a/k", "n/a/b", "n/b/k"], ["n/a/k", "n/b/k", "n/b/b"], None),
    ],
)
def test_by_names(stored: list[str], present: list[str], expected: list[int] | None) -> None:
    assert match([Weight(n, (2,)) for n in stored], [Weight(n, (2,)) for n in present]) == expected


def test_by_shape_where_it_tells() -> None:
    stored = [Weight("n/a/k", (2, 3)), Weight("n/b/k", (3, 4))]
    assert match(stored, [Weight("n/x/k", (3, 4)), Weight("n/y/k", (2, 3))]) == [1, 0]


@pytest.mark.parametrize(
    ("stored", "present"),
    [
        (["b_1/forward_lstm_1/kernel", "b_1/backward_lstm_1/kernel"], ["b/backward_lstm/lstm_cell_2/kernel:0", "b/forward_lstm/lstm_cell_1/kernel:0"]),
        (["m/forward_gru/gru_cell/bias", "m/backward_gru/gru_cell/bias"], ["b/backward_backward_gru/gru_cell_4/bias:0", "b/forward_forward_gru/gru_cell_3/bias:0"]),
        (["b/forward_conv_lstm2d_3/kernel", "b/backward_conv_lstm2d_3/kernel"], ["b/backward_conv_lst_m2d/kernel:0", "b/forward_conv_lst_m2d/kernel:0"]),
        (["b/forward_lstm/lstm_cell/bias", "b/gru/gru_cell/bias"], ["b/backward_gru/gru_cell_4/bias:0", "b/forward_forward_lstm/lstm_cell_3/bias:0"]),
        (["dense_2_1/kernel:0", "dense_1_1/kernel:0"], ["dense_1/kernel:0", "dense_2/kernel:0"]),
    ],
)  # fmt: skip
def test_names_of_other_generations(stored: list[str], present: list[str]) -> None:
    found = match([Weight(name, (2,)) for name in stored], [Weight(name, (2,)) for name in present])
    assert found == [1, 0]


def test_names_that_other_generations_make_one_are_not_guessed() -> None:
    stored = [Weight("b/lstm/k", (2,)), Weight("b/backward_lstm/k", (2,))]
    assert match(stored, [Weight("b/lstm_1/k", (2,)), Weight("b/other/k", (2,))]) is None
    assert match(stored, [Weight("b/backward_lstm_1/k", (2,)), Weight("b/lstm_4_2/k", (2,))]) is None
