"""Recurrent layers: a cell makes one step, :class:`RNN` runs it over a sequence."""

from reference_impl.layers.recurrent.base import RNN, AbstractRNNCell
from reference_impl.layers.recurrent.conv_lstm import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from reference_impl.layers.recurrent.cudnn import CuDNNGRU, CuDNNLSTM
from reference_impl.layers.recurrent.gru import GRU, GRUCell
from reference_impl.layers.recurrent.lstm import LSTM, LSTMCell
from reference_impl.layers.recurrent.peephole import PeepholeLSTMCell
from reference_impl.layers.recurrent.simple_rnn import SimpleRNN, SimpleRNNCell
from reference_impl.layers.recurrent.stacked import StackedRNNCells

__all__ = [
    "GRU", "LSTM", "RNN", "AbstractRNNCell", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "CuDNNGRU", "CuDNNLSTM",
    "GRUCell", "LSTMCell", "PeepholeLSTMCell", "SimpleRNN", "SimpleRNNCell", "StackedRNNCells",
]  # fmt: skip
