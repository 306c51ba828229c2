"""Do the methods that choose for a target find what the target needs? The table in docs/selection.md, in about one
minute of one core.

    python benchmarks/pool_and_target.py DATA

DATA holds cifar10/ and mnist/, each with train.parquet and test.parquet. The pool is 1,200 images of CIFAR-10 and 300
of MNIST, 20 classes; the target is 100 other images of MNIST, and 600 to test on. Prints, for each method and size, the
share of MNIST among the images kept, and the accuracy on the target of each seed after fine-tuning.
"""

import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from winnow.datasets.images import Images, Labelled
from winnow.datasets.sources.parquet import parquet
from winnow.networks import initialise
from winnow.params.download import Download
from winnow.params.training import Network, Training
from winnow.selection.choose import choose
from winnow.selection.evidence import Given
from winnow.training.batches import DeviceImages, to_device
from winnow.training.evaluate import accuracy, log_probabilities, with_features
from winnow.training.fit import Task, fit, fresh
from winnow.training.last_layer import load_but_last
from winnow.training.loop import Beginning
from winnow.training.schedule import make_schedule

NETWORK, SEEDS, CPU = Network(name="convnet", width=8), [100, 101], torch.device("cpu")
METHODS = {name: name for name in ("label_mapping", "feature_mapping", "search_and_prune")} | {"random": "ranked"}


def main() -> None:
    torch.set_num_threads(1)
    cifar, mnist = (read(Path(sys.argv[1]) / name) for name in ("cifar10", "mnist"))
    (of_cifar, cifar_labels), (of_mnist, digits) = part(cifar["train"], 0, 1200), part(mnist["train"], 0, 300)
    pool = Labelled(np.concatenate([of_cifar, of_mnist]), np.concatenate([cifar_labels, digits + 10]))
    target, test = Labelled(*part(mnist["train"], 300, 400)), Labelled(*part(mnist["test"], 0, 600))
    scaled = pool.pixels[:] / 255
    facts = {"mean": scaled.mean((0, 2, 3)).tolist(), "std": scaled.std((0, 2, 3)).tolist()}
    ours, theirs, held = (to_device(images, facts, CPU) for images in (pool, target, test))

    def tuned(networks: Mapping[int, nn.Module]) -> str:
        """The accuracies on the target of networks of the pool; of new ones if there are none."""

        def begin(seed: int) -> Beginning:
            own = initialise(NETWORK, 10, theirs.shape, seed)
            if networks:
                load_but_last(own, {name: tensor.numpy() for name, tensor in networks[seed].state_dict().items()})
            return Beginning(own, seed)

        found = trained(theirs, 15, SEEDS, begin, 0.05)
        return ", ".join(f"{accuracy(log_probabilities(network, held), test.labels):.4f}" for network in found.values())

    looks = trained(ours, 6, [0], fresh(NETWORK, ours, 20))[0]
    (own, features), (outputs, others) = with_features(looks, ours), with_features(looks, theirs)
    evidence = Given(pool.labels, 20, {}, features.astype(np.float32), own, outputs, others.astype(np.float32))
    for keep in (150, 300):
        for name, method in METHODS.items():
            options = {"epoch": 0, **({"score": "random"} if name == "random" else {})}
            chosen = choose(evidence, method, options, keep, seed=0)
            kept = to_device(pool.take(chosen.rows), facts, CPU)
            share = (pool.labels[chosen.rows] >= 10).mean()
            networks = trained(kept, 15, SEEDS, fresh(NETWORK, kept, 20))
            print(f"{keep} {name}: {share:.1%} of MNIST, accuracy {tuned(networks)} {dict(chosen.about)}", flush=True)
    print(f"fresh: accuracy {tuned({})}")
    print(f"full: accuracy {tuned(trained(ours, 6, SEEDS, fresh(NETWORK, ours, 20)))}")


def read(folder: Path) -> dict[str, Images]:
    values = {"source": "parquet", "path": str(folder), "size": [32, 32], "first": 1200, "first_test": 600}
    source = parquet(Download.model_validate(values))
    return {"train": source.train, "test": source.test}


def part(images: Images, first: int, end: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels in colour, and labels."""
    pixels = images.pixels[first:end]
    return np.repeat(pixels, 3 // pixels.shape[1], axis=1), images.labels[first:end]


def trained(
    images: DeviceImages, epochs: int, seeds: list[int], begin: Callable[[int], Beginning], rate: float = 0.1
) -> dict[int, nn.Module]:
    """The networks by seed."""
    last = f"{epochs * 3 // 4} epochs"
    training = Training(length=f"{epochs} epochs", batch_size=32, learning_rate=rate, decay_at=[last])
    found: dict[int, nn.Module] = {}
    with tempfile.TemporaryDirectory() as folder:
        task = Task(images, training, make_schedule(training, len(images)), begin)
        fit(task, seeds, Path(folder), lambda _: None, lambda run: found.update({run.seed: run.network}))
    return found


if __name__ == "__main__":
    main()
