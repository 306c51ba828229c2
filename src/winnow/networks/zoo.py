"""torchvision's classifiers, by their names there."""

import difflib

from torch import nn

from winnow.networks.own import output_shape
from winnow.networks.shape import Shape


def torchvision_network(name: str, classes: int, shape: Shape) -> nn.Module:
    """torchvision's classifier ``name`` with ``classes`` outputs and its own random initialisation.

    Raises ValueError if torchvision lacks the classifier, or if it cannot take images of this shape.
    """
    from torchvision import models  # three seconds to import, so only here

    # the module torchvision.models itself holds the classifiers; detection, segmentation and video have their own
    known = models.list_models(module=models)
    if name not in known:
        close = difflib.get_close_matches(name, known, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else "see torchvision's list of classification models"
        raise ValueError(f"name: torchvision has no classifier {name!r}; {hint}")
    channels, height, width = shape
    if channels != 3:
        raise ValueError(
            f"name: torchvision:{name} takes images of 3 channels, not {channels}; "
            "convnet, lenet_300_100 and the resnets take any number"
        )
    options = {"weights": None, "num_classes": classes}
    if name.startswith("vit_"):
        if height != width:
            raise ValueError(f"name: torchvision:{name} takes square images, not {height}x{width}: resize them")
        options["image_size"] = height  # its positional embedding has one row per patch of this size
    if name in ("googlenet", "inception_v3"):
        # in training, auxiliary heads would make the output a tuple; without init_weights torchvision warns
        options |= {"aux_logits": False, "init_weights": True}
    try:
        network = models.get_model(name, **options)
        logits = output_shape(network, shape)
        if logits != (1, classes):
            raise ValueError(f"its output has the shape {logits}")
    except (RuntimeError, ValueError, AssertionError, ZeroDivisionError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ValueError(
            f"name: torchvision:{name} does not take images of {height}x{width} pixels ({reason}): "
            "resize them to larger ones"
        ) from None
    return network
