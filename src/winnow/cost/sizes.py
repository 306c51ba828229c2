"""How many images of which size an experiment has, even before download has run."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from winnow.datasets.images import load_facts
from winnow.datasets.long_tail import class_sizes
from winnow.errors import UserError
from winnow.params.download import Download

Shape = tuple[int, int, int]  # channels, height and width of an image


@dataclass(frozen=True)
class Sizes:
    """Images in each split, how many classes they have, and the shape of each."""

    train: int
    validation: int
    test: int
    classes: int
    shape: Shape


# The sources that are always the same; train is before the validation split leaves it
SOURCES = {
    "digits": Sizes(1347, 0, 450, 10, (1, 8, 8)),
    "mnist": Sizes(60000, 0, 10000, 10, (1, 28, 28)),
    "fashion_mnist": Sizes(60000, 0, 10000, 10, (1, 28, 28)),
    "cifar10": Sizes(50000, 0, 10000, 10, (3, 32, 32)),
    "cifar100": Sizes(50000, 0, 10000, 100, (3, 32, 32)),
    "svhn": Sizes(73257, 0, 26032, 10, (3, 32, 32)),
}


def sizes_of(params: Download, folder: str | Path, current: bool) -> Sizes:
    """The sizes of the data set that download makes, to within a few images of the validation split.

    folder: where it makes it. current: whether what lies there is what the params ask for. Where it is not, a source
    that is always the same, or a folder of images, says them too. Raises UserError where only download can say.
    """
    made = Path(folder)
    if current and (made / "dataset.json").exists():
        return _made(made)
    if params.source in SOURCES:
        found = SOURCES[params.source]
    elif params.source == "image_folder":
        found = _in_folder(params)
    elif (made / "dataset.json").exists():  # of images that have changed since
        return _made(made)
    else:
        raise UserError(
            f"download.source: {params.source}: how many images there are is known only after dvc repro download"
        )
    return _cut(found, params)


def _made(folder: Path) -> Sizes:
    from safetensors import safe_open

    facts = load_facts(folder)
    train, validation, test = (int(facts["images"][name]) for name in ("train", "validation", "test"))
    with safe_open(folder / "train.safetensors", "numpy") as file:
        _, channels, height, width = file.get_slice("pixels").get_shape()
    return Sizes(train, validation, test, len(facts["class_names"]), (channels, height, width))


def _in_folder(params: Download) -> Sizes:
    """The images below download.path, by the names of its files, and the size of one of them."""
    from PIL import Image

    from winnow.datasets.decode import EXTENSIONS

    root = Path(params.path or "")
    files = {
        part: [path for path in (root / part).rglob("*") if path.suffix.lower() in EXTENSIONS]
        for part in ("train", "test")
    }
    if not files["train"]:
        raise UserError(f"download.path: {root}: no images in {root / 'train'}")
    with Image.open(files["train"][0]) as image:
        width, height = image.size
        channels = 1 if image.mode in ("1", "L", "LA", "La") or image.mode.startswith("I;16") else 3
    classes = sum(path.is_dir() for path in (root / "train").iterdir())
    return Sizes(len(files["train"]), 0, len(files["test"]), classes, (channels, height, width))


def _cut(found: Sizes, params: Download) -> Sizes:
    """What download leaves of a source: the first images, resized, without the validation split and the tail."""
    train = min(found.train, params.first or found.train)
    test = min(found.test, params.first_test or found.test)
    validation = round(params.validation * train)
    train -= validation
    if params.long_tail:
        train = int(class_sizes(np.full(found.classes, train // found.classes), params.long_tail).sum())
    shape = (found.shape[0], *params.size) if params.size else found.shape
    return Sizes(train, validation, test, found.classes, shape)
