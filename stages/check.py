"""Check the whole of params.yaml, so that a mistake in any section is told before anything runs."""

from stages._stage import main
from winnow.params.whole import load_params


def check() -> None:
    load_params("params.yaml")


if __name__ == "__main__":
    main(check)
