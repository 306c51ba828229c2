"""A user's own things: a network that is none of ours, data that are no images, and plain torch to compare with."""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

CLASSES = 4


class Own(nn.Module):
    """Of vectors [n, 6]; batch norm and dropout, so that modes matter."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.first, self.bn = nn.Linear(6, 5), nn.BatchNorm1d(5)
            self.drop, self.last = nn.Dropout(0.5), nn.Linear(5, CLASSES)
            self.bn.running_mean.normal_(0, 0.3)
            self.bn.running_var.uniform_(0.5, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.drop(torch.tanh(self.bn(self.first(x)))))


def data(count: int = 23, seed: int = 0) -> TensorDataset:
    draws = torch.Generator().manual_seed(seed)
    return TensorDataset(torch.randn(count, 6, generator=draws), torch.randint(CLASSES, (count,), generator=draws))


def loader(count: int = 23, batch_size: int = 5, **options: object) -> DataLoader:
    return DataLoader(data(count), batch_size=batch_size, **options)
