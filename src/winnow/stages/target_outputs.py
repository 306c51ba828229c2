"""What a network of the pool makes of a target's training images: its outputs, and the inputs of its last layer."""

from pathlib import Path

from winnow.datasets.images import load_facts, load_labels, load_split
from winnow.networks import build
from winnow.params.early import Early
from winnow.params.target import Target
from winnow.scores.runs import EarlyRuns
from winnow.scores.sources import on
from winnow.stages._stage import main, naming, params
from winnow.storage import atomic_folder, load_tensors, save_tensors
from winnow.training.batches import to_device
from winnow.training.checkpoint import load_network
from winnow.training.device import chosen_device
from winnow.training.evaluate import log_probabilities, with_features


def target_outputs(name: str) -> None:
    """Writes ``epoch<e>.safetensors``: log_probabilities, float32 [t, classes of the pool], and after the epochs in
    early.features also features, float16 [t, d]."""
    given = params(early=Early, target=Target)
    options, facts, device = given.early, load_facts("data/images"), chosen_device()
    # as the network knows images: by the mean and the spread of the pool
    images = to_device(load_split(f"data/target/{name}", "train"), facts, device)
    folder = Path("data/early") / given.target.cohort
    runs = EarlyRuns(folder, load_labels("data/labels.parquet"), Path("data/images"))
    with naming("early.network."):
        network = build(options.network, len(facts["class_names"]), images.shape).to(device)
    with atomic_folder(f"data/early/{on(name)}") as written:
        for epoch in options.epochs:
            load_network(network, load_tensors(runs.checkpoint(runs.seeds[0], epoch)))
            if epoch in options.features:
                outputs, features = with_features(network, images)
                tensors = {"log_probabilities": outputs, "features": features}
            else:
                tensors = {"log_probabilities": log_probabilities(network, images)}
            save_tensors(written / f"epoch{epoch}.safetensors", tensors)


if __name__ == "__main__":
    main(target_outputs)
