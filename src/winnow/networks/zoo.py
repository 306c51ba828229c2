"""Any classifier of torchvision, by its name there."""

import difflib

import torch
from torch import nn

from winnow.errors import UserError


def torchvision_network(name: str, classes: int, shape: tuple[int, int, int]) -> nn.Module:
    """torchvision's classifier ``name`` with ``classes`` outputs and its own random initialisation.

    Raises UserError if there is no such classifier, or it cannot take images of this shape.
    """
    from torchvision import models  # three seconds to import, so only here

    # the module torchvision.models itself holds the classifiers; detection, segmentation and video have their own
    known = models.list_models(module=models)
    if name not in known:
        close = difflib.get_close_matches(name, known, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else "see torchvision's list of classification models"
        raise UserError(f"network.name: torchvision has no classifier {name!r}; {hint}")
    channels, height, width = shape
    if channels != 3:
        raise UserError(
            f"network.name: torchvision:{name} takes images of 3 channels, not {channels}; "
            "convnet, lenet_300_100 and the resnets take any number"
        )
    options = {"weights": None, "num_classes": classes}
    if name.startswith("vit_"):
        if height != width:
            raise UserError(
                f"network.name: torchvision:{name} takes square images, not {height}x{width}: set download.size"
            )
        options["image_size"] = height  # its positional embedding has one row per patch of this size
    if name in ("googlenet", "inception_v3"):
        # in training the auxiliary heads would make the output a tuple; init_weights left out draws a warning
        options |= {"aux_logits": False, "init_weights": True}
    try:
        network = models.get_model(name, **options)
        _check_shape(network, shape, classes)
    except (RuntimeError, ValueError, AssertionError, ZeroDivisionError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(
            f"network.name: torchvision:{name} does not take images of {height}x{width} pixels ({reason}): "
            "set download.size to larger ones"
        ) from None
    return network


def _check_shape(network: nn.Module, shape: tuple[int, int, int], classes: int) -> None:
    """One black image through the network, in evaluation mode, which leaves every weight and statistic as it was."""
    training = network.training
    network.eval()
    with torch.no_grad():
        logits = network(torch.zeros(1, *shape))
    network.train(training)
    if logits.shape != (1, classes):
        raise ValueError(f"its output has the shape {tuple(logits.shape)}")
