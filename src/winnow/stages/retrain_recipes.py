"""Train fresh networks on one subset by one recipe of retrain.recipes, and measure them on the held-out splits."""

from winnow.datasets.images import load_facts
from winnow.params.retrain import Retrain
from winnow.stages._images import rows_of, to_train_on
from winnow.stages._retrain import retrain_on
from winnow.stages._stage import main, params
from winnow.storage import load_tensors
from winnow.training.device import chosen_device
from winnow.training.distillation import teaching
from winnow.training.several_devices import on_all_devices


def retrain_recipe(method: str, keep: str, recipe: str) -> None:
    options = params(retrain=Retrain).retrain
    how, budget = options.recipes[recipe], options.budget
    facts, device = load_facts("data/images"), chosen_device()
    subset = f"select/{method}-{keep}"
    images = to_train_on(subset, facts, device)
    if how.teacher is not None:
        outputs = load_tensors(f"data/teachers/{recipe}.safetensors")["log_probabilities"][rows_of(subset)]
        images = images.taught(teaching(outputs, how.weight, how.temperature, device))
    trained = (options.seeds, options.network, options.training, how.budget or budget)
    retrain_on(images, facts, device, *trained, f"{method}-{keep}-{recipe}")


if __name__ == "__main__":
    main(on_all_devices(retrain_recipe))
