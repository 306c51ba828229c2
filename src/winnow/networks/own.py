"""A user's own architecture: a function in a module of the folder ``networks`` in the project's root."""

import traceback
from importlib import import_module
from typing import Any

import torch
from torch import nn

from winnow.networks.shape import Shape


def own_network(name: str, classes: int, shape: Shape) -> nn.Module:
    """Call ``FUNCTION(classes, shape)`` of ``networks.MODULE:FUNCTION``; Python must run in the project's root.

    Raises ValueError if the function does not exist, fails, or does not return a network from such images to logits.
    """
    module, _, function = name.partition(":")
    try:
        found = getattr(import_module(module), function, None)
    except ModuleNotFoundError as error:
        if error.name and f"{module}.".startswith(f"{error.name}."):
            path = f"{module.replace('.', '/')}.py"
            raise ValueError(f"name: no module {module}; it would be the file {path} of the project") from None
        raise ValueError(f"name: {_blame(error)}") from error
    except Exception as error:  # a user's module may raise anything
        raise ValueError(f"name: {_blame(error)}") from error
    if not callable(found):
        raise ValueError(f"name: {module} has no function {function}")
    try:
        network = found(classes, shape)
        logits = output_shape(network, shape) if isinstance(network, nn.Module) else ()
    except Exception as error:
        raise ValueError(f"name: {name}: {_blame(error)}") from error
    if not isinstance(network, nn.Module):
        raise ValueError(f"name: {name} gives {_a(network)}; it must give a torch.nn.Module")
    if logits != (1, classes):
        raise ValueError(f"name: {name} makes {logits} of one image; it must be (1, {classes}), a logit for each class")
    return network


def output_shape(network: nn.Module, shape: Shape) -> tuple[int, ...]:
    """The shape of the output for one black image, in evaluation mode, which changes no weight and no statistic."""
    training = network.training
    network.eval()
    with torch.no_grad():
        logits = network(torch.zeros(1, *shape))
    network.train(training)
    if not isinstance(logits, torch.Tensor):
        raise ValueError(f"the output is {_a(logits)}, not a tensor")
    return tuple(logits.shape)


def _blame(error: Exception) -> str:
    """What failed, and where in the user's code, in one line."""
    files = [frame for frame in traceback.extract_tb(error.__traceback__) if "/networks/" in frame.filename]
    frames = [frame for frame in files if frame.filename != __file__]
    if isinstance(error, SyntaxError):
        place = f" ({error.filename}, line {error.lineno})"
    else:
        place = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    text = str(error.msg if isinstance(error, SyntaxError) else error).strip()
    return f"{type(error).__name__}{': ' if text else ''}{text.splitlines()[0] if text else ''}{place}"


def _a(value: Any) -> str:
    return f"a {type(value).__name__}" if value is not None else "nothing"
