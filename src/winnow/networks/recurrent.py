"""Recurrent networks that read an image row by row, from the top: Elman's, GRU and LSTM.

Their cells are made of linear layers, so that criteria, masks and second derivatives find them as in other networks.
The functions are those of torch.nn.RNN, GRU and LSTM.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from winnow.networks.shape import Shape

State = tuple[Tensor, ...]  # the hidden units [b, h], and for an LSTM its cells [b, h]
Cell = Callable[[Tensor, Tensor, State], State]  # what the inputs and the hidden units give [b, gates h], and the state


def elman(of_row: Tensor, of_hidden: Tensor, _: State) -> State:
    """Elman 1990: the hyperbolic tangent of the sum."""
    return (torch.tanh(of_row + of_hidden),)


def gru(of_row: Tensor, of_hidden: Tensor, state: State) -> State:
    """Cho et al. 2014: gates for reset and update, and a candidate."""
    (hidden,) = state
    row_reset, row_update, row_new = of_row.chunk(3, dim=1)
    reset, update, new = of_hidden.chunk(3, dim=1)
    candidate = torch.tanh(row_new + torch.sigmoid(row_reset + reset) * new)
    return (torch.lerp(candidate, hidden, torch.sigmoid(row_update + update)),)


def lstm(of_row: Tensor, of_hidden: Tensor, state: State) -> State:
    """Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000."""
    enter, forget, new, leave = (of_row + of_hidden).chunk(4, dim=1)
    cells = torch.sigmoid(forget) * state[1] + torch.sigmoid(enter) * torch.tanh(new)
    return torch.sigmoid(leave) * torch.tanh(cells), cells


CELLS: dict[str, tuple[Cell, int]] = {"rnn": (elman, 1), "gru": (gru, 3), "lstm": (lstm, 4)}  # with the number of gates


class Recurrent(nn.Module):
    """From images [b, c, h, w] to logits [b, classes], by the hidden units after the last row."""

    def __init__(self, kind: str, width: int, shape: Shape, classes: int) -> None:
        super().__init__()
        channels, _, columns = shape
        self.cell, gates = CELLS[kind]
        self.states = 2 if kind == "lstm" else 1
        self.row = nn.Linear(channels * columns, gates * width)
        self.hidden = nn.Linear(width, gates * width)
        self.last = nn.Linear(width, classes)
        for layer in (self.row, self.hidden):  # as torch.nn.RNN, GRU and LSTM begin
            for parameter in layer.parameters():
                nn.init.uniform_(parameter, -(width**-0.5), width**-0.5)

    def forward(self, images: Tensor) -> Tensor:
        of_rows = self.row(images.transpose(1, 2).flatten(2))  # [b, h, gates * width]
        state: State = (of_rows.new_zeros(len(images), self.hidden.in_features),) * self.states
        for of_row in of_rows.unbind(dim=1):
            state = self.cell(of_row, self.hidden(state[0]), state)
        logits: Tensor = self.last(state[0])
        return logits
