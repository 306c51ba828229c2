"""What pruning does beyond accuracy, measured on the test images of a finished project.

Runs in its folder, python -m winnow.comparison.pruning.beyond FILE LEVEL…, and writes a csv. A network is measured
once: what was measured is kept in the project, with a hash of the images, the tickets and the code that it is of.
"""

import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from winnow.analysis.beyond import agreement, calibration_error, linear_cka, worst_class_error
from winnow.datasets.corruptions import CORRUPTIONS, STRENGTHS
from winnow.datasets.images import Labelled, load_facts, load_split, sample
from winnow.params.dense import NAME as DENSE
from winnow.params.training import Network
from winnow.stages._code import code_of, own_files
from winnow.stages._measured import hash_of, hash_of_file, hash_of_images, is_measured, save_measured
from winnow.stages._stage import SCRATCH, keep_only
from winnow.storage import load_table, load_tensor_provenance, save_table
from winnow.tickets.files import load_ticket
from winnow.training.batches import DeviceImages, to_device
from winnow.training.device import chosen_device
from winnow.training.evaluate import accuracy, log_probabilities, with_features

IMAGES = 2000  # test images, drawn at random, on which networks are compared
TICKETS = Path("data/tickets")
KEPT = SCRATCH / "beyond"  # a file for each network
MODULE = "winnow.comparison.pruning.beyond"


def beyond(levels: Sequence[str]) -> pd.DataFrame:
    """One row per network of the levels, and of dense: level, seed, error, calibration_error, worst_class_error,
    agreement (with the dense network of the same seed), cka (of the features, likewise), an error for each corruption
    (mean over its strengths) and corrupted_error, their mean. Fractions of 1, on at most ``IMAGES`` test images."""
    facts, device = load_facts("data/images"), chosen_device()
    test = sample(load_split("data/images", "test"), IMAGES)
    clean = to_device(test, facts, device)

    @cache  # only if there is something to measure
    def corrupted() -> Mapping[str, Sequence[DeviceImages]]:
        pixels = test.pixels[np.arange(len(test))]
        return {
            name: [to_device(Labelled(corrupt(pixels, strength), test.labels), facts, device) for strength in STRENGTHS]
            for name, corrupt in CORRUPTIONS.items()
        }

    @cache  # all levels of a seed are compared with it
    def of_dense(path: Path) -> tuple[np.ndarray, np.ndarray]:
        return with_features(load_ticket(path).network.to(device), clean)

    def measured(path: Path, dense: Path) -> pd.DataFrame:
        network = load_ticket(path).network.to(device)
        errors = {name: _error(network, images, test.labels) for name, images in corrupted().items()}
        outputs, features = with_features(network, clean)
        row = {
            "error": 1 - accuracy(outputs, test.labels),
            "calibration_error": calibration_error(outputs, test.labels),
            "worst_class_error": worst_class_error(outputs, test.labels),
            "agreement": agreement(outputs, of_dense(dense)[0]),
            "cka": linear_cka(features, of_dense(dense)[1]),
            **errors,
            "corrupted_error": float(np.mean(list(errors.values()))),
        }
        return pd.DataFrame([row])

    seeds = sorted(int(folder.name.removeprefix("seed")) for folder in (TICKETS / DENSE).glob("seed*"))
    keep_only(KEPT, [DENSE, *levels])
    same, tables = hash_of_images(clean), []
    for seed in seeds:
        dense = _ticket(DENSE, seed)
        for level in (DENSE, *levels):
            path, file = _ticket(level, seed), KEPT / level / f"seed{seed}.parquet"
            inputs = hash_of(same, _code(path, dense), hash_of_file(path), hash_of_file(dense))
            if not is_measured(file, inputs):
                save_measured(file, measured(path, dense), inputs)
            table = load_table(file)
            table.insert(0, "level", level)
            table.insert(1, "seed", seed)
            tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _ticket(level: str, seed: int) -> Path:
    return TICKETS / level / f"seed{seed}/ticket.safetensors"


def _code(*tickets: Path) -> str:
    """The list of the code that measures these tickets: of this module, and of their networks, if they are the
    user's."""
    networks = [Network(**load_tensor_provenance(path)["network"]) for path in tickets]
    return code_of(MODULE, own={file for network in networks for file in own_files(network)})


def _error(network: torch.nn.Module, images: Sequence[DeviceImages], labels: np.ndarray) -> float:
    """The mean error over several corruptions of the same images."""
    return 1 - float(np.mean([accuracy(log_probabilities(network, each), labels) for each in images]))


if __name__ == "__main__":
    save_table(sys.argv[1], beyond(sys.argv[2:]))
