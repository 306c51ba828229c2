"""What a data source hands over."""

from dataclasses import dataclass

from winnow.datasets.images import Images


@dataclass(frozen=True)
class Source:
    """A data source as it is: its training and its test images in its own order, nothing held out.

    ``positions`` count in the source's own sets; labels are positions in ``class_names``. A source may stop reading
    after the first n images where the params ask for no more; if it has fewer, it hands over all it has.
    """

    train: Images
    test: Images
    class_names: list[str]
