"""The user's own images: a folder with train/ and test/, each with one folder per class."""

import os
from itertools import chain
from pathlib import Path

import numpy as np

from winnow.datasets.decode import EXTENSIONS, READ
from winnow.datasets.images import Images
from winnow.datasets.source import Source
from winnow.errors import UserError
from winnow.params.download import Download


def image_folder(params: Download) -> Source:
    """The images below ``params.path``, in the order of torchvision's ImageFolder(path/train) and (path/test).

    So positions are indices into those data sets, and class names are the sorted names of the folders. An id is the
    path of the file below ``params.path``, such as "train/cat/12.png". Pixels: see ``decode_images``.

    Raises UserError that names a missing, empty or damaged folder or file, or a folder below ``params.path`` that is a
    symbolic link: DVC does not look into links, so it would miss a change there.
    """
    folder = Path(params.path or "")
    if not folder.is_dir():
        raise UserError(
            f"download.path: {folder}: no such folder; it must hold train/ and test/ with a folder per class"
        )
    classes = {part: _class_names(folder / part) for part in ("train", "test")}
    for part, other in (("train", "test"), ("test", "train")):
        for name in classes[part]:
            if name not in classes[other]:
                raise UserError(
                    f"{folder / part / name}: is a class that {folder / other} lacks; both need the same classes"
                )
    train = _read_split(folder, "train", classes["train"], params.first, params)
    test = _read_split(folder, "test", classes["test"], params.first_test, params)
    return Source(train, test, classes["train"])


def _class_names(folder: Path) -> list[str]:
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; download.path must hold train/ and test/ with a folder per class")
    _refuse_link(str(folder))
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    if not names:
        raise UserError(
            f"{folder}: no class folder in it; images belong into one folder per class, such as {folder}/cat"
        )
    return names


def _read_split(folder: Path, part: str, classes: list[str], first: int | None, params: Download) -> Images:
    of_classes = [_image_files(folder / part / name) for name in classes]
    labels = np.repeat(np.arange(len(classes)), [len(files) for files in of_classes])[:first]
    files = list(chain.from_iterable(of_classes))[:first]
    del of_classes  # a million names take a hundred MB
    above = len(str(folder / part)) - len(part)  # of so many names, pathlib would take seconds
    ids = np.array([file[above:] for file in files])
    for name in ids:
        # how Python shows a byte that is not UTF-8
        if not name.isascii() and any("\ud800" <= letter <= "\udfff" for letter in name):
            raise UserError(
                f"{folder}: the file name {str(name)!r} is not UTF-8, so it cannot be an id; rename the file"
            )
    read = READ[params.keep]
    pixels = read(((file, Path(file)) for file in files), len(files), params.size, f"read {part}")
    return Images(pixels, labels, ids, np.arange(len(files)))


def _image_files(folder: Path) -> list[str]:
    """The images of one class, also in subfolders, in torchvision's order; as text, which takes less memory."""
    _refuse_link(str(folder))
    files = []
    for root, folders, names in sorted(os.walk(folder)):
        for name in folders:
            _refuse_link(f"{root}/{name}")
        files += [f"{root}/{name}" for name in sorted(names) if name.lower().endswith(EXTENSIONS)]
    if not files:
        raise UserError(
            f"{folder}: a class folder with no image in it ({', '.join(EXTENSIONS)}); add some, or remove it"
        )
    return files


def _refuse_link(folder: str) -> None:
    if os.path.islink(folder):  # noqa: PTH114 (of a hundred thousand names)
        raise UserError(
            f"{folder}: is a symbolic link to a folder, and DVC does not see what changes behind it; put the images "
            "here, or links to single images; download.path itself may be a link"
        )
