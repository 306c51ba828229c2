"""What a data source returns."""

from dataclasses import dataclass

from winnow.datasets.images import Images


@dataclass(frozen=True)
class Source:
    """All training and test images of a source, in its own order, with nothing held out.

    ``positions`` are indices into the source's own sets, labels are indices into ``class_names``. If the params ask for
    the first n images only, a source may stop reading there; if it has fewer, it returns all of them.
    """

    train: Images
    test: Images
    class_names: list[str]
