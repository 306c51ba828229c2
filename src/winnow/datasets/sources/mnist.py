"""MNIST (LeCun, Bottou, Bengio, Haffner 1998): handwritten digits, 70,000 grey images of 28x28 pixels."""

from winnow.datasets.source import Source
from winnow.datasets.torchvision_sets import torchvision_set
from winnow.params.download import Download


def mnist(params: Download) -> Source:
    """torchvision's copy (``torchvision_sets``)."""
    return torchvision_set(params)
