"""Train one cohort of seeds without labels, and keep the features that it gives all training images."""

from winnow.datasets.images import load_facts, load_split
from winnow.params.pretrain import Pretrain
from winnow.scores.sources import pretrained
from winnow.stages._stage import finish, main, naming, params, scratch
from winnow.training.batches import to_device
from winnow.training.device import chosen_device
from winnow.training.fit import Task, fit_side_by_side
from winnow.training.pretrain import keep_features, train_epoch, unlabelled
from winnow.training.schedule import make_schedule


def pretrain(name: str) -> None:
    key = f"pretrain.cohorts.{name}"
    options = params(key, pretrain=Pretrain)
    cohort, seeds = options.item, options.pretrain.cohorts[name].seeds
    images = to_device(load_split("data/images", "train"), load_facts("data/images"), chosen_device())
    with naming(f"{key}.training: "):
        schedule = make_schedule(cohort.training, len(images))
    folder = scratch()
    begin = naming(f"{key}.network: ")(unlabelled(cohort.network, images.shape))
    task = Task(images, cohort.training, schedule, begin, one_epoch=train_epoch)
    fit_side_by_side({folder: task}, seeds, f"pretrain@{name}", on_end=keep_features(images))
    finish(folder, f"data/early/{pretrained(name)}")


if __name__ == "__main__":
    main(pretrain)
