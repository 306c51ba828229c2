"""Get the images and divide them into the train, validation and test splits."""

from winnow.datasets.build import build
from winnow.datasets.images import save_dataset
from winnow.datasets.repeated import counts, in_words, repeated
from winnow.params.download import Download
from winnow.stages._stage import main, params


def download() -> None:
    options = params(download=Download).download
    dataset = build(options)
    about = {"source": options.source} | ({"long_tail": options.long_tail} if options.long_tail else {})
    copies = repeated(dataset)
    save_dataset("data/images", dataset, {**about, "repeated": counts(copies)}, copies)
    sizes = ", ".join(f"{len(part)} {name}" for name, part in dataset.splits.items())
    print(f"{options.source}: {sizes} images of {len(dataset.class_names)} classes")
    if len(copies):
        print(f"{in_words(counts(copies))}: data/images/repeated.csv lists them")


if __name__ == "__main__":
    main(download)
