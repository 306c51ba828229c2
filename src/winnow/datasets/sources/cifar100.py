"""CIFAR-100 (Krizhevsky 2009): 60,000 images in colour of 32x32 pixels, a hundred classes."""

from winnow.datasets.source import Source
from winnow.datasets.torchvision_sets import torchvision_set
from winnow.params.download import Download


def cifar100(params: Download) -> Source:
    """torchvision's copy (``torchvision_sets``)."""
    return torchvision_set(params)
