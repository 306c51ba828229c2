"""SVHN (Netzer et al. 2011): house numbers, 99,289 images in colour of 32x32 pixels."""

from winnow.datasets.source import Source
from winnow.datasets.torchvision_sets import torchvision_set
from winnow.params.download import Download


def svhn(params: Download) -> Source:
    """torchvision's copy (``torchvision_sets``)."""
    return torchvision_set(params)
