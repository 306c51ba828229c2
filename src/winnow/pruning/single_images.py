"""Gradients of single images for criteria."""

from torch import Tensor, nn

from winnow.autograd.example_gradients import Take, example_gradients
from winnow.pruning.context import Context


def each_gradient(context: Context, network: nn.Module, inputs: Tensor, labels: Tensor, take: Take) -> None:
    """Hand ``take`` the gradients of each image's loss for all prunable weights of a network that may be changed: a
    copy, in evaluation mode. The context's loss must be the mean of one term for each image."""
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name in context.mask)
    example_gradients(network, inputs, lambda outputs: context.loss(outputs, labels) * len(labels), take)
