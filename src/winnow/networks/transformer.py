"""A small vision transformer (Dosovitskiy et al. 2021, "An image is worth 16x16 words"), which is torchvision's."""

from torch import nn

from winnow.networks.shape import Shape

LAYERS, LEAST_PATCHES, OF_HEAD = 6, 7, 16  # layers; patches along a side, at least; features of a head


def vit(width: int, shape: Shape, classes: int) -> nn.Module:
    """Six layers of ``width`` features, in heads of 16, with twice as many hidden units in their MLPs, from square
    images of ``shape``. A patch has the largest side that divides the image's and leaves at least seven patches along
    it: 4 pixels of 28 and of 32, 1 of 8.

    Raises ValueError for images that are not square, and for a width that is no multiple of 16.
    """
    from torchvision.models import VisionTransformer  # three seconds to import, so only here

    channels, height, columns = shape
    if height != columns:
        raise ValueError(f"name: vit takes square images, not {height}x{columns}: resize them")
    if width % OF_HEAD:
        raise ValueError(f"width: vit takes a multiple of {OF_HEAD}, not {width}")
    patch = next((side for side in range(height // LEAST_PATCHES, 1, -1) if height % side == 0), 1)
    network = VisionTransformer(height, patch, LAYERS, width // OF_HEAD, width, 2 * width, num_classes=classes)
    if channels != 3:
        network.conv_proj = nn.Conv2d(channels, width, patch, stride=patch)
        nn.init.trunc_normal_(network.conv_proj.weight, std=(channels * patch**2) ** -0.5)  # as torchvision's begins
        nn.init.zeros_(network.conv_proj.bias)
    # torchvision's begins with zeros: then no weight before it has a gradient, and criteria have nothing to go by
    nn.init.trunc_normal_(network.heads.head.weight, std=0.02)
    return network
