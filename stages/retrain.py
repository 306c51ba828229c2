"""Train fresh networks on one subset, or on all images, side by side, and measure them on the held-out parts."""

from stages._images import held_out, to_train_on
from stages._stage import finish, main, naming, params, scratch
from winnow.datasets.images import load_facts
from winnow.params.retrain import Retrain
from winnow.storage import save_table
from winnow.training.device import device
from winnow.training.fit import Task, fit_side_by_side, fresh
from winnow.training.retrain import keep_outputs, results
from winnow.training.schedule import schedule


def retrain_stage(*items: str) -> None:
    """A method and how much it keeps, such as el2n 0.5; or full, for all images."""
    item = "-".join(items)
    subset = item if item == "full" else f"select/{item}"
    options = params(retrain=Retrain).retrain
    facts, where = load_facts("data/images"), device()
    images, parts = to_train_on(subset, facts, where), held_out(facts, where)
    full_epoch = facts["images"]["train"] if options.budget == "steps" else None
    with naming(f"retrain@{item}: retrain.training."):
        plan = schedule(options.training, len(images), full_epoch)
    folder = scratch()
    begin = naming("retrain.network.")(fresh(options.network, images, len(facts["class_names"])))
    task = Task(images, options.training, plan, begin)
    fit_side_by_side({folder: task}, options.seeds, f"retrain@{item}", on_end=keep_outputs(parts))
    table = results(folder, options.seeds, {name: part.labels.cpu().numpy() for name, part in parts.items()})
    save_table(folder / "results.csv", table.assign(images=len(images), steps=plan.total))
    finish(folder, f"data/retrain/{item}")


if __name__ == "__main__":
    main(retrain_stage)
