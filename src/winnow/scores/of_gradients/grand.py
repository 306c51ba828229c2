"""GraNd, the L2 norm of the gradient of an image's loss with respect to all weights (Data Diet, Def. 2.1)."""

from torch import Tensor, nn

from winnow.autograd.gradient_norms import gradient_norms


def grand(network: nn.Module, inputs: Tensor, labels: Tensor) -> Tensor:
    """The norm for every image, float32 [b]. Raises ValueError if a layer has no formula for it."""
    return gradient_norms(network, inputs, labels)
