"""Check the whole of params.yaml, so that a mistake in any section is told before anything runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stages._stage import main
from winnow.errors import UserError
from winnow.params.base import read_yaml
from winnow.params.training import Network
from winnow.params.whole import load_params
from winnow.storage import atomic_file


def check() -> None:
    params = load_params("params.yaml")
    values = params.model_dump(exclude_unset=True)  # what the file itself says
    for key in declared():
        if not is_given(values, key):
            raise UserError(f"params.yaml: {key}: is missing; it must be given: a stage of dvc.yaml depends on it")
    if params.download.path and not Path(params.download.path).is_dir():
        raise UserError(f"params.yaml: download.path: {params.download.path}: no such folder; give that of your images")
    for section in ("early", "retrain", "dense"):
        check_own(f"params.yaml: {section}.network", getattr(params, section).network)
    with atomic_file("data/checked.txt") as file:
        file.write_text("params.yaml keeps to the schema\n")


def check_own(key: str, network: Network) -> None:
    """The files of a network of the user's, and of starting weights, are there."""
    module = Path(network.name.partition(":")[0].replace(".", "/"))
    if network.name.startswith("networks.") and not (module.with_suffix(".py").exists() or module.is_dir()):
        raise UserError(f"{key}.name: {network.name}: no file {module}.py")
    if network.weights and not Path(network.weights).is_file():
        raise UserError(f"{key}.weights: {network.weights}: no such file")


def declared() -> Iterator[str]:
    """The keys that dvc.yaml's stages depend on. DVC itself tells of those that are not there, but stage by stage, so
    perhaps after hours; and of the keys of a map's items, of which it makes stages, the schema does."""
    for entry in read_yaml("dvc.yaml")["stages"].values():
        yield from (key for key in entry.get("do", entry).get("params", []) if "${" not in key)


def is_given(values: Any, key: str) -> bool:
    for part in key.split("."):
        if not isinstance(values, dict) or part not in values:
            return False
        values = values[part]
    return True


if __name__ == "__main__":
    main(check)
