"""What the dense networks and a level's predict for all training images: for scores of what pruning changes."""

from winnow.datasets.images import load_facts, load_split
from winnow.params.dense import NAME as DENSE
from winnow.params.dense import Dense
from winnow.progress import Bar
from winnow.scores.sources import cut_of
from winnow.stages._stage import finish, main, params, scratch
from winnow.stages._tickets import ticket
from winnow.storage import save_tensors
from winnow.tickets.files import load_ticket
from winnow.training.batches import to_device
from winnow.training.device import chosen_device, workers
from winnow.training.evaluate import log_probabilities
from winnow.training.workers import Tick, side_by_side


def compression(level: str) -> None:
    seeds = params(dense=Dense).dense.seeds
    facts, device = load_facts("data/images"), chosen_device()
    images = to_device(load_split("data/images", "train"), facts, device)
    folder = scratch()

    def work(seed: int, tick: Tick) -> None:
        file = folder / f"seed{seed}.safetensors"
        if not file.exists():
            networks = {"dense": ticket(DENSE, seed), "cut": ticket(level, seed)}
            outputs = {
                name: log_probabilities(load_ticket(path).network.to(device), images) for name, path in networks.items()
            }
            save_tensors(file, outputs)
        tick(1)

    side_by_side(work, seeds, workers(device), Bar(len(seeds), f"compression@{level}", "network"))
    finish(folder, f"data/early/{cut_of(level)}")


if __name__ == "__main__":
    main(compression)
