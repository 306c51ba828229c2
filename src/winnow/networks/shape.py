"""The shape of the images that a network takes."""

Shape = tuple[int, int, int]  # channels, height, width
