"""Outputs of an exported network."""

import multiprocessing
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn


def exported(network: nn.Module, inputs: Tensor, folder: Path) -> Tensor:
    """What ``torch.export`` makes of a network gives for these inputs. A process of its own exports: it starts threads
    of autograd, and a process that has some cannot fork others that train, as tests beside this one do."""

    def work() -> None:
        with torch.no_grad():
            save_file({"outputs": torch.export.export(network, (inputs,)).module()(inputs)}, file)

    file = folder / "exported.safetensors"
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join()
    assert child.exitcode == 0
    return load_file(file)["outputs"]
