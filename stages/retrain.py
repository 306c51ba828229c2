"""Train fresh networks on one subset, or on all images, side by side, and measure them on the held-out parts."""

from stages._images import held_out, training_images
from stages._stage import finish, main, params, scratch
from winnow.datasets.images import load_facts
from winnow.params.retrain import Retrain
from winnow.storage import load_json, save_json, save_table
from winnow.training.batches import to_device
from winnow.training.device import device
from winnow.training.parts import Part, train_seeds
from winnow.training.retrain import results, retrain
from winnow.training.schedule import schedule
from winnow.training.workers import Tick


def retrain_stage(*items: str) -> None:
    """The items of a select stage, such as el2n 0.5; or full, for all images."""
    item = "-".join(items)
    options = params(retrain=Retrain).retrain
    facts, where = load_facts("data/images"), device()
    images, parts = to_device(training_images(item), facts, where), held_out(facts, where)
    full_epoch = facts["images"]["train"] if options.budget == "steps" else None
    plan = schedule(options.training, len(images), full_epoch, section=f"retrain@{item}: retrain")
    folder = scratch()
    runs, clocks = folder / "runs", folder / "seconds"

    def work(part: Part, tick: Tick) -> None:
        retrain(
            seeds=part.seeds,
            images=images,
            held_out=parts,
            classes=len(facts["class_names"]),
            network=options.network,
            training=options.training,
            plan=plan,
            folder=runs,
            clocks=clocks,
            tick=tick,
            end=part.end,
        )

    train_seeds(work, options.seeds, runs, plan, where, f"retrain@{item}")
    table = results(runs, options.seeds, {name: part.labels.cpu().numpy() for name, part in parts.items()})
    save_table(runs / "results.csv", table.assign(images=len(images), steps=plan.total))
    save_json(f"data/timing/{item}.json", {seed: load_json(clocks / f"{seed}.json") for seed in options.seeds})
    finish(runs, f"data/retrain/{item}")


if __name__ == "__main__":
    main(retrain_stage)
