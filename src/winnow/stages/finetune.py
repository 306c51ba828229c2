"""Fine-tune the networks that were retrained on a subset of the pool on a target, each with a new last layer, and test
them on it."""

from collections.abc import Callable
from pathlib import Path

from winnow.datasets.images import load_facts, load_split
from winnow.networks import initialise
from winnow.params.retrain import Retrain
from winnow.params.target import Target
from winnow.params.training import Network
from winnow.scores.sources import on
from winnow.stages._stage import finish, main, naming, params, scratch
from winnow.storage import load_tensors, save_table
from winnow.training.batches import DeviceImages, to_device
from winnow.training.device import chosen_device
from winnow.training.fit import Task, fit_side_by_side, fresh
from winnow.training.last_layer import load_but_last
from winnow.training.loop import Beginning
from winnow.training.retrain import keep_outputs, results
from winnow.training.schedule import make_schedule
from winnow.training.several_devices import on_all_devices


def finetune(target: str, *items: str) -> None:
    """items: a method and how much it keeps, such as el2n 0.5; or full, for all images of the pool; or fresh, for new
    networks, which have seen none."""
    item = "-".join(items)
    given = params(retrain=Retrain, target=Target)
    seeds, network = given.retrain.seeds, given.retrain.network
    device, pool, facts = chosen_device(), load_facts("data/images"), load_facts(f"data/target/{target}")
    # as the retrained networks know images: by the mean and the spread of the pool
    images, test = (to_device(load_split(f"data/target/{target}", part), pool, device) for part in ("train", "test"))
    training = given.target.training
    with naming("target.training."):
        schedule = make_schedule(training, len(images))
    classes = len(facts["class_names"])
    folder = scratch()
    with naming("retrain.network."):
        if item == "fresh":
            begin = fresh(network, images, classes)
        else:
            begin = of_runs(network, images, classes, Path("data/retrain") / item)
        task = Task(images, training, schedule, begin)
        label = f"finetune {target} {item}"
        fit_side_by_side({folder: task}, seeds, label, on_end=keep_outputs({"test": test}))
    save_table(folder / "results.csv", results(folder, seeds, {"test": test.labels.cpu().numpy()}))
    finish(folder, f"data/retrain/{on(target)}-{item}")


def of_runs(network: Network, images: DeviceImages, classes: int, folder: Path) -> Callable[[int], Beginning]:
    """Begin with the network of the same seed in a folder of runs, but for a new last layer."""

    def begin(seed: int) -> Beginning:
        own = initialise(network, classes, images.shape, seed)
        load_but_last(own, load_tensors(folder / f"seed{seed}" / "network.safetensors"))
        return Beginning(own, seed)

    return begin


if __name__ == "__main__":
    main(on_all_devices(finetune))
