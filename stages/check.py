"""Check the whole of params.yaml, so that a mistake in any section is told before anything runs."""

from stages._stage import main
from winnow.params.whole import load_params
from winnow.storage import atomic_file


def check() -> None:
    load_params("params.yaml")
    with atomic_file("data/checked.txt") as file:
        file.write_text("params.yaml keeps to the schema\n")


if __name__ == "__main__":
    main(check)
