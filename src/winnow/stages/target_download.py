"""Get the images of a target, as download does, and make them such as networks of the pool take."""

import re

from winnow.datasets.build import build, in_channels
from winnow.datasets.images import load_pixels, save_dataset
from winnow.errors import UserError
from winnow.params.download import Download
from winnow.params.target import Target
from winnow.stages._stage import main, params


def target_download(name: str) -> None:
    options = params(target=Target).target.sets[name]
    _, channels, height, width = load_pixels("data/images", "train").shape
    values = {**options.model_dump(), "size": [height, width], "validation": 0.0}
    key = f"target.sets.{name}"
    try:
        dataset = build(Download.model_validate(values))
    except UserError as error:  # which speaks of the section download
        raise UserError(re.sub(r"\bdownload\.", f"{key}.", str(error))) from None
    try:
        dataset = in_channels(dataset, channels)
    except ValueError as error:
        raise UserError(f"{key}: {error}") from None
    save_dataset(f"data/target/{name}", dataset, {"source": options.source})
    sizes = ", ".join(f"{len(part)} {split}" for split, part in dataset.splits.items() if len(part))
    print(f"{name}: {sizes} images of {len(dataset.class_names)} classes")


if __name__ == "__main__":
    main(target_download)
