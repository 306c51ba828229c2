"""Pick the images of one subset, by one method and size."""

from stages._stage import main, params
from winnow.datasets.images import load_facts
from winnow.params.select import Select
from winnow.storage import load_table
from winnow.subsets.files import save_subset
from winnow.subsets.method import parse_method
from winnow.subsets.select import number, select


def select_stage(method: str, keep: str) -> None:
    options = params(select=Select).select
    scores = load_table("data/aggregate/scores.parquet")
    facts = load_facts("data/images")
    epoch = options.epoch
    rows = select(scores, facts["class_names"], parse_method(method), number(keep), epoch, options.seed)
    provenance = {
        "source": facts["source"],
        "method": method,
        "keep": number(keep),
        "epoch": epoch,
        "seed": options.seed,
        "of_images": len(scores),
    }
    save_subset(f"data/select/{method}-{keep}.parquet", scores.iloc[rows], provenance)


if __name__ == "__main__":
    main(select_stage)
