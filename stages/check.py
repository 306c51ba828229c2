"""Check the whole of params.yaml, so that a mistake in any section is told before anything runs."""

from pathlib import Path

from stages._stage import main
from winnow.errors import UserError
from winnow.params.training import Network
from winnow.params.whole import load_params
from winnow.storage import atomic_file


def check() -> None:
    params = load_params("params.yaml")
    if params.download.path and not Path(params.download.path).is_dir():
        raise UserError(f"params.yaml: download.path: {params.download.path}: no such folder; give that of your images")
    for name, network in params.networks.items():
        check_own(f"params.yaml: networks.{name}", network)
    with atomic_file("data/checked.txt") as file:
        file.write_text("params.yaml keeps to the schema\n")


def check_own(key: str, network: Network) -> None:
    """The files of a network of the user's, and of starting weights, are there."""
    module = Path(network.name.partition(":")[0].replace(".", "/"))
    if network.name.startswith("networks.") and not (module.with_suffix(".py").exists() or module.is_dir()):
        raise UserError(f"{key}.name: {network.name}: no file {module}.py")
    if network.weights and not Path(network.weights).is_file():
        raise UserError(f"{key}.weights: {network.weights}: no such file")


if __name__ == "__main__":
    main(check)
