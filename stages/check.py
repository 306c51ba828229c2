"""Check the whole of params.yaml, so that a mistake in any section is told before anything runs."""

from pathlib import Path

from stages._stage import main
from winnow.errors import UserError
from winnow.params.whole import load_params
from winnow.storage import atomic_file


def check() -> None:
    params = load_params("params.yaml")
    if params.download.path and not Path(params.download.path).is_dir():
        raise UserError(f"params.yaml: download.path: {params.download.path}: no such folder; give that of your images")
    with atomic_file("data/checked.txt") as file:
        file.write_text("params.yaml keeps to the schema\n")


if __name__ == "__main__":
    main(check)
