"""Compute scores of gradients: pass all images through every network that the stage early kept."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from winnow import methods
from winnow.datasets.images import load_facts, load_split
from winnow.networks import build
from winnow.params.training import Network
from winnow.progress import Bar
from winnow.scores.families import OF_GRADIENTS
from winnow.scores.runs import EarlyRuns
from winnow.scores.seed_scores import SeedScores
from winnow.storage import load_tensors, save_tensors
from winnow.training.batches import DeviceImages, to_device
from winnow.training.checkpoint import load_network
from winnow.training.device import chosen_device, workers
from winnow.training.workers import Tick, side_by_side

BATCH = 125  # images per backward pass: more are no faster, and take more memory

Score = Callable[[nn.Module, Tensor, Tensor], Tensor]


def compute(name: str, runs: EarlyRuns, network: Network, working: Path) -> SeedScores:
    """The score at every scored epoch, with batch norm in evaluation mode and without augmentation.

    Each checkpoint is a job, whose result is kept in ``working``, so that an interrupted call resumes from there.
    Raises ValueError if no score has this name, or if it has no value for the network.
    """
    score: Score = methods.find(OF_GRADIENTS, name)
    facts = load_facts(runs.dataset)
    images = to_device(load_split(runs.dataset, "train"), facts, chosen_device()).labelled(runs.labels)
    working.mkdir(parents=True, exist_ok=True)

    def file(job: tuple[int, int]) -> Path:
        return working / f"seed{job[0]}-epoch{job[1]}.safetensors"

    def work(job: tuple[int, int], tick: Tick) -> None:
        if file(job).exists():
            tick(len(images))
            return
        module = build(network, len(facts["class_names"]), images.shape)
        load_network(module, load_tensors(runs.checkpoint(*job)))
        save_tensors(file(job), {name: of_all(score, module.to(images.device), images, tick)})

    jobs = [(seed, epoch) for seed in runs.seeds for epoch in runs.epochs]
    side_by_side(work, jobs, workers(images.device), Bar(len(jobs) * len(images), name, "image"))
    values = np.array([load_tensors(file(job), name)[name] for job in jobs], np.float32)
    values = runs.only_seen(values.reshape(len(runs.seeds), len(runs.epochs), -1))
    return SeedScores(values, runs.seeds, runs.epochs)


def of_all(score: Score, network: nn.Module, images: DeviceImages, tick: Tick) -> np.ndarray:
    """The score of every image, float32 [n]."""
    network = network.eval().to(memory_format=torch.channels_last)
    values = np.empty(len(images), np.float32)  # a list of many small tensors would keep freed memory from the system
    done = 0
    for inputs, labels in images.batches(BATCH):
        values[done : done + len(labels)] = score(network, inputs, labels).cpu().numpy()
        done += len(labels)
        tick(len(labels))
    return values
