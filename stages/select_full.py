"""All training images as a subset, for those who take subsets by name."""

from stages._stage import main
from winnow.datasets.images import load_facts
from winnow.storage import load_table
from winnow.subsets.files import save_subset


def select_full() -> None:
    facts, images = load_facts("data/images"), load_table("data/labels.parquet", columns=["id", "position"])
    save_subset("data/select/full.parquet", images, {"source": facts["source"], "method": "full"})


if __name__ == "__main__":
    main(select_full)
