"""Pick the images of every subset: each method at each size."""

from itertools import product

from stages._stage import main, params
from winnow.datasets.images import load_facts
from winnow.params.select import Select
from winnow.storage import atomic_folder, load_table
from winnow.subsets.files import save_subset
from winnow.subsets.method import parse_method
from winnow.subsets.select import select


def select_stage() -> None:
    options = params(select=Select).select
    scores = load_table("data/scores/scores.parquet")
    facts = load_facts("data/images")
    about = {
        "source": facts["source"],
        "epoch": options.epoch,
        "seed": options.seed,
        "of_images": len(scores),
    }
    with atomic_folder("data/select") as folder:
        for method, keep in product(options.methods, options.keep):
            rows = select(scores, facts["class_names"], parse_method(method), keep, options.epoch, options.seed)
            provenance = {**about, "method": method, "keep": keep}
            save_subset(folder / f"{method}-{keep}.parquet", scores.iloc[rows], provenance)


if __name__ == "__main__":
    main(select_stage)
