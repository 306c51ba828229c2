"""Train fresh networks on one subset, or on all images, side by side, and measure them on the held-out splits."""

from winnow.datasets.images import load_facts
from winnow.params.retrain import Retrain
from winnow.stages._images import held_out, to_train_on
from winnow.stages._stage import finish, main, naming, params, scratch
from winnow.storage import save_table
from winnow.training.device import chosen_device
from winnow.training.fit import Task, fit_side_by_side, fresh
from winnow.training.retrain import keep_outputs, results
from winnow.training.schedule import make_schedule


def retrain_stage(*items: str) -> None:
    """items: a method and how much it keeps, such as el2n 0.5; or full, for all images."""
    item = "-".join(items)
    subset = item if item == "full" else f"select/{item}"
    options = params(retrain=Retrain).retrain
    facts, device = load_facts("data/images"), chosen_device()
    images, splits = to_train_on(subset, facts, device), held_out(facts, device)
    full_epoch = facts["images"]["train"] if options.budget == "steps" else None
    with naming(f"retrain@{item}: retrain.training."):
        schedule = make_schedule(options.training, len(images), full_epoch)
    folder = scratch()
    begin = naming("retrain.network.")(fresh(options.network, images, len(facts["class_names"])))
    task = Task(images, options.training, schedule, begin)
    fit_side_by_side({folder: task}, options.seeds, f"retrain@{item}", on_end=keep_outputs(splits))
    table = results(folder, options.seeds, {name: part.labels.cpu().numpy() for name, part in splits.items()})
    visits = schedule.total * options.training.batch_size
    save_table(folder / "results.csv", table.assign(images=len(images), steps=schedule.total, visits=visits))
    finish(folder, f"data/retrain/{item}")


if __name__ == "__main__":
    main(retrain_stage)
