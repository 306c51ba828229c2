"""Images decode on all cores, in their order, with the same bytes and the same error whatever their number."""

from collections.abc import Iterator

import numpy as np
import pytest

from tests.datasets.pictures import encoded, picture
from winnow import cores
from winnow.datasets.decode import AT_ONCE, decode_images
from winnow.errors import UserError

COUNT = 7 * AT_ONCE + 3


def images(damaged: int | None = None) -> Iterator[tuple[str, bytes]]:
    for row in range(COUNT):
        yield f"row {row}", b"damaged" if row == damaged else encoded(picture(row))


@pytest.mark.parametrize("there", [1, 3])
def test_images_keep_their_order(monkeypatch: pytest.MonkeyPatch, there: int) -> None:
    monkeypatch.setattr(cores, "available", lambda: there)
    found = decode_images(images(), COUNT, None, "read")
    assert np.array_equal(found, np.stack([picture(row).transpose(2, 0, 1) for row in range(COUNT)]))


@pytest.mark.parametrize("there", [1, 3])
def test_the_first_damaged_image_is_named_and_no_more_are_read(monkeypatch: pytest.MonkeyPatch, there: int) -> None:
    monkeypatch.setattr(cores, "available", lambda: there)
    read = []

    def counted() -> Iterator[tuple[str, bytes]]:
        for name, data in images(damaged=2):
            read.append(name)
            yield name, data

    with pytest.raises(UserError, match="row 2: not an image"):
        decode_images(counted(), COUNT, None, "read")
    assert len(read) <= 2 * there * AT_ONCE
