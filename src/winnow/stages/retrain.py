"""Train fresh networks on one subset, or on all images, side by side, and measure them on the held-out splits."""

from winnow.datasets.images import load_facts
from winnow.params.retrain import Retrain
from winnow.stages._images import to_train_on
from winnow.stages._retrain import retrain_on
from winnow.stages._stage import main, params
from winnow.training.device import chosen_device
from winnow.training.several_devices import on_all_devices


def retrain_stage(*items: str) -> None:
    """items: a method and how much it keeps, such as el2n 0.5; or full, for all images."""
    item = "-".join(items)
    subset = item if item == "full" else f"select/{item}"
    options = params(retrain=Retrain).retrain
    facts, device = load_facts("data/images"), chosen_device()
    how = (options.seeds, options.network, options.training, options.budget)
    retrain_on(to_train_on(subset, facts, device), facts, device, *how, item)


if __name__ == "__main__":
    main(on_all_devices(retrain_stage))
