"""Train fresh networks on all images, in a way that chooses the images of each epoch as it goes, and measure them on
the held-out splits."""

from winnow.datasets.images import load_facts
from winnow.params.retrain import Retrain
from winnow.stages._images import held_out, to_train_on
from winnow.stages._stage import finish, main, naming, params, scratch
from winnow.storage import save_table
from winnow.training.choosing import chosen, plan_of
from winnow.training.device import chosen_device
from winnow.training.fit import Task, fit_side_by_side, fresh
from winnow.training.retrain import keep_outputs, results, visits_of
from winnow.training.schedule import make_schedule
from winnow.training.several_devices import on_all_devices


def retrain_visits(name: str) -> None:
    """name: of retrain.visits."""
    options, key = params(retrain=Retrain).retrain, f"retrain.visits.{name}"
    facts, device = load_facts("data/images"), chosen_device()
    images, splits = to_train_on("full", facts, device), held_out(facts, device)
    with naming(f"{key}: retrain.training."):
        schedule = make_schedule(options.training, len(images))
    method, values = chosen(name, options.visits[name])
    with naming(f"{key}."):
        plan = plan_of(method, values, len(images), schedule.epochs)
    schedule = schedule.stretched(plan.length)
    folder = scratch()
    begin = naming("retrain.network.")(fresh(options.network, images, len(facts["class_names"]), plan=plan))
    task = Task(images, options.training, schedule, begin)
    with naming(f"{key}: "):
        fit_side_by_side({folder: task}, options.seeds, f"retrain_visits@{name}", on_end=keep_outputs(splits))
    table = results(folder, options.seeds, {name: part.labels.cpu().numpy() for name, part in splits.items()})
    visits = table["seed"].map(visits_of(folder, options.seeds))
    steps = visits // options.training.batch_size
    save_table(folder / "results.csv", table.assign(images=len(images), steps=steps, visits=visits))
    finish(folder, f"data/retrain/{name}")


if __name__ == "__main__":
    main(on_all_devices(retrain_visits))
