"""Find the wrong labels in your data set: train a few networks for a few epochs, and ask what they doubt.

Here one label in twenty of scikit-learn's digits is made wrong, so that we know what there is to find.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import winnow

torch.manual_seed(0)
digits = load_digits()
images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
labels = torch.tensor(digits.target)
wrong = torch.randperm(len(labels))[: len(labels) // 20]
labels[wrong] = (labels[wrong] + torch.randint(1, 10, wrong.shape)) % 10


def train(dataset: TensorDataset, epochs: int = 5) -> nn.Module:
    convolutions = [nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, stride=2), nn.ReLU()]
    network = nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(288, 10))
    optimizer = torch.optim.Adam(network.parameters(), 0.002)
    for _ in range(epochs):
        for inputs, targets in DataLoader(dataset, batch_size=50, shuffle=True):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(inputs), targets).backward()
            optimizer.step()
    return network


data = TensorDataset(images, labels)
networks = [train(data) for _ in range(3)]
suspects = winnow.suspects(networks, DataLoader(data, batch_size=500), count=len(wrong))
print(suspects.head().to_string(index=False))
found = set(suspects["position"]) & set(wrong.tolist())
print(f"Of the {len(wrong)} wrong labels, {len(found)} are among the {len(suspects)} suspects.")
