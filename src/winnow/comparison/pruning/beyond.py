"""What pruning does beyond accuracy, measured on the test images of a finished project.

Runs in its folder, python -m winnow.comparison.pruning.beyond FILE LEVEL…, and writes a csv.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from winnow import load_ticket
from winnow.analysis.beyond import agreement, calibration_error, linear_cka, worst_class_error
from winnow.datasets.corruptions import CORRUPTIONS, STRENGTHS
from winnow.datasets.images import Labelled, load_facts, load_split, sample
from winnow.params.dense import NAME as DENSE
from winnow.storage import save_table
from winnow.training.batches import DeviceImages, to_device
from winnow.training.device import chosen_device
from winnow.training.evaluate import accuracy, log_probabilities, with_features

IMAGES = 2000  # test images, drawn at random, on which networks are compared
TICKETS = Path("data/tickets")


def beyond(levels: Sequence[str]) -> pd.DataFrame:
    """One row per network of the levels, and of dense: level, seed, error, calibration_error, worst_class_error,
    agreement (with the dense network of the same seed), cka (of the features, likewise), an error for each corruption
    (mean over its strengths) and corrupted_error, their mean. Fractions of 1, on at most ``IMAGES`` test images."""
    facts, device = load_facts("data/images"), chosen_device()
    test = sample(load_split("data/images", "test"), IMAGES)
    pixels, clean = test.pixels[np.arange(len(test))], to_device(test, facts, device)
    corrupted = {
        name: [to_device(Labelled(corrupt(pixels, strength), test.labels), facts, device) for strength in STRENGTHS]
        for name, corrupt in CORRUPTIONS.items()
    }
    rows = []
    for folder in sorted((TICKETS / DENSE).glob("seed*")):
        seed = int(folder.name.removeprefix("seed"))
        dense = load_ticket(folder / "ticket.safetensors").network.to(device)
        of_dense = with_features(dense, clean)
        for level in (DENSE, *levels):
            network = load_ticket(TICKETS / level / folder.name / "ticket.safetensors").network.to(device)
            errors = {name: _error(network, images, test.labels) for name, images in corrupted.items()}
            outputs, features = with_features(network, clean)
            rows.append(
                {
                    "level": level,
                    "seed": seed,
                    "error": 1 - accuracy(outputs, test.labels),
                    "calibration_error": calibration_error(outputs, test.labels),
                    "worst_class_error": worst_class_error(outputs, test.labels),
                    "agreement": agreement(outputs, of_dense[0]),
                    "cka": linear_cka(features, of_dense[1]),
                    **errors,
                    "corrupted_error": float(np.mean(list(errors.values()))),
                }
            )
    return pd.DataFrame(rows)


def _error(network: torch.nn.Module, images: Sequence[DeviceImages], labels: np.ndarray) -> float:
    """The mean error over several corruptions of the same images."""
    return 1 - float(np.mean([accuracy(log_probabilities(network, each), labels) for each in images]))


if __name__ == "__main__":
    save_table(sys.argv[1], beyond(sys.argv[2:]))
