"""Weights and masks of a few small layers, drawn for property tests, and a small network with every kind of layer."""

import torch
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import Tensor, nn

from winnow.pruning.masks import Mask
from winnow.pruning.prune import left_after, prune

SHAPES = [(1, 1), (1, 7), (3, 5), (2, 3, 3, 3)]


@st.composite
def layers(draw: st.DrawFn) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Weights with many of the same magnitude, zeros of both signs among them, and a mask that leaves at least one."""
    names = draw(st.permutations("dcba"))[: draw(st.integers(1, 4))]
    weights, mask = {}, {}
    for name in names:
        shape = draw(st.sampled_from(SHAPES))
        values = st.sampled_from([-2.0, -1.0, -0.0, 0.0, 0.25, 0.5, 1.0, 3.0]) | st.floats(-4, 4, width=32)
        weights[name] = torch.from_numpy(draw(hnp.arrays("float32", shape, elements=values)))
        mask[name] = torch.from_numpy(draw(hnp.arrays(bool, shape, fill=st.just(True))))
    mask[names[0]].view(-1)[0] = True
    return weights, mask


def cut_smallest(weights: dict[str, Tensor], mask: dict[str, Tensor], fraction: float, floor: int | float = 0) -> Mask:
    """Cut a fraction of the weights left, those of smallest magnitude over all layers together."""
    return prune({name: weights[name].abs() for name in mask}, mask, left_after(mask, fraction), floor=floor)


class Attention(nn.Module):
    """A convolution, batch norm, a positional embedding, self-attention, layer norm and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 2)  # registered first, used last
        self.conv, self.bn = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
        self.position = nn.Parameter(torch.zeros(1, 16, 4))
        self.attention, self.norm = nn.MultiheadAttention(4, 2, batch_first=True), nn.LayerNorm(4)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.bn(self.conv(images)).flatten(2).transpose(1, 2) + self.position
        attended, _ = self.attention(tokens, tokens, tokens, need_weights=False)
        return self.linear(self.norm(attended).mean(1))
