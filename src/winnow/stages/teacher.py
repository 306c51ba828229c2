"""What the teacher of one recipe says of all training images, without augmentation. This trains nothing."""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from winnow.datasets.images import load_facts, load_labels, load_split
from winnow.networks import build
from winnow.params.early import Early
from winnow.params.retrain import Retrain
from winnow.params.training import Network
from winnow.progress import Bar
from winnow.scores.runs import EarlyRuns
from winnow.stages._stage import main, params, scratch
from winnow.storage import load_tensors, save_tensors
from winnow.training.batches import to_device
from winnow.training.checkpoint import load_network
from winnow.training.device import chosen_device, workers
from winnow.training.evaluate import log_probabilities
from winnow.training.teacher import mean_outputs
from winnow.training.workers import Tick, side_by_side

KEY = "log_probabilities"


def teacher(name: str) -> None:
    """Writes log_probabilities, float32 [n, classes]; of a recipe without a teacher an empty file, because dvc.yaml
    cannot make an input conditional."""
    options = params(retrain=Retrain, early=Early)
    of_early = of_cohorts(options.early.cohorts)
    of_full = of_networks(options.retrain.seeds, options.retrain.network)
    outputs = {"early": of_early, "full": of_full}.get(options.retrain.recipes[name].teacher)
    save_tensors(f"data/teachers/{name}.safetensors", {} if outputs is None else {KEY: mean_outputs(outputs)})


def of_cohorts(cohorts: Iterable[str]) -> Iterator[np.ndarray]:
    """Log softmax, float32 [n, classes], of every early network at the last scored epoch."""
    labels = load_labels("data/images/train.parquet")
    for cohort in cohorts:
        runs = EarlyRuns(Path("data/early") / cohort, labels, Path("data/images"))
        yield from (runs.log_probabilities(seed, runs.epochs[-1]) for seed in runs.seeds)


def of_networks(seeds: list[int], network: Network) -> Iterator[np.ndarray]:
    """The same of every network that was trained on all data."""
    facts, folder = load_facts("data/images"), scratch()
    images = to_device(load_split("data/images", "train"), facts, chosen_device())

    def work(seed: int, tick: Tick) -> None:
        module = build(network, len(facts["class_names"]), images.shape)
        state = load_tensors(f"data/retrain/full/seed{seed}/network.safetensors")
        load_network(module, {f"network.{key}": tensor for key, tensor in state.items()})
        save_tensors(folder / f"{seed}.safetensors", {KEY: log_probabilities(module.to(images.device), images)})
        tick(1)

    side_by_side(work, seeds, workers(images.device), Bar(len(seeds), "teacher", "network"))
    yield from (load_tensors(folder / f"{seed}.safetensors")[KEY] for seed in seeds)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main(teacher)
