"""Is there a barrier between two checkpoints? Two networks that began apart are compared with two that parted later."""

import copy

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import winnow

torch.manual_seed(0)
digits = load_digits()
data = TensorDataset(torch.tensor(digits.data, dtype=torch.float32) / 16, torch.tensor(digits.target))


def new() -> nn.Module:
    hidden = [nn.Linear(64, 30), nn.BatchNorm1d(30), nn.ReLU(), nn.Linear(30, 30), nn.ReLU()]
    return nn.Sequential(*hidden, nn.Linear(30, 10))


def train(network: nn.Module, epochs: int) -> nn.Module:
    optimizer = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9)
    for _ in range(epochs):
        for inputs, targets in DataLoader(data, batch_size=50, shuffle=True):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(inputs), targets).backward()
            optimizer.step()
    return network


batches = DataLoader(data, batch_size=600, shuffle=True)
common = train(new(), 2)
pairs = {"began apart": (new(), new()), "parted after 2 epochs": (common, copy.deepcopy(common))}
for name, pair in pairs.items():
    a, b = (train(network, 8) for network in pair)
    line = winnow.line(a, a.state_dict(), b.state_dict(), batches)
    height, _ = winnow.barrier(line["alpha"], line["error"])
    print(f"{name}: error barrier {height:.1%}, ends {line['error'].iloc[0]:.1%} and {line['error'].iloc[-1]:.1%}")
print("largest eigenvalues of the Hessian at the last:", winnow.hessian_eigenvalues(b, batches, k=3).round(2))
