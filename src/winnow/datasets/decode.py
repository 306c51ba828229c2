"""Decode images (PNG, JPEG, …) with Pillow to pixels of one size and number of channels."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from winnow import cores
from winnow.datasets.images import Pixels, chunks
from winnow.errors import UserError
from winnow.progress import shown
from winnow.storage import stack_on_disk

# torchvision's list, in lower case; sources skip files with other endings
EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
AT_ONCE = 16  # images that a thread decodes in one go, as small ones take less time than handing them over
_GREY = ("1", "L", "LA", "La")
_GREY_16_BIT = ("I;16", "I;16L", "I;16B", "I;16N")
_WITHOUT_RANGE = ("I", "F")  # 32-bit whole numbers and floats: we do not know which value is white


def decode_images(
    encoded: Iterable[tuple[str, Path | bytes]], count: int, size: tuple[int, int] | None, label: str
) -> np.ndarray:
    """Decode ``count`` images on all cores. Each is given as a name for error messages, and its file or bytes.

    Returns uint8 [count, c, h, w], a memory map from ``stack_on_disk``: c is 1 if every image is grey, else 3 (RGB;
    transparency is dropped, as in torchvision's ImageFolder; 16-bit grey keeps its upper 8 bits). ``size``: resize all
    images to this (height, width) in pixels, bilinear with antialiasing; without it all must have the same size.
    ``label`` names the progress bar.

    Raises UserError that names the damaged image, or two that differ in size.
    """
    first, shape, coloured = "", (0, 0), False

    def as_rgb() -> Iterator[np.ndarray]:  # grey ones too: a later one may be in colour
        nonlocal first, shape, coloured
        for name, image in shown(_decoded(encoded, size), count, label, "image"):
            if not first:
                first, shape = name, image.shape[:2]
            height, width = image.shape[:2]
            if (height, width) != shape:
                raise UserError(
                    f"download.size is needed, as images differ in size: {first} is {shape[0]}x{shape[1]} pixels high "
                    f"and wide, {name} is {height}x{width}; set it to [height, width], such as [32, 32]"
                )
            coloured = coloured or image.ndim == 3
            yield image.transpose(2, 0, 1) if image.ndim == 3 else np.broadcast_to(image, (3, *shape))

    pixels = stack_on_disk(as_rgb())
    return pixels if coloured else pixels[:, :1]


def _decoded(
    encoded: Iterable[tuple[str, Path | bytes]], size: tuple[int, int] | None
) -> Iterator[tuple[str, np.ndarray]]:
    """The images in their order, each with its name. Threads do, as Pillow lets others run while it decodes."""
    images, threads = iter(encoded), cores.available()
    pool = ThreadPoolExecutor(threads)
    ahead = (pool.submit(_decode_all, part, size) for part in iter(lambda: list(islice(images, AT_ONCE)), []))
    try:
        waiting = deque(islice(ahead, 2 * threads))
        while waiting:
            yield from waiting.popleft().result()
            waiting.extend(islice(ahead, 1))
    finally:
        pool.shutdown(cancel_futures=True)


def _decode_all(
    encoded: Sequence[tuple[str, Path | bytes]], size: tuple[int, int] | None
) -> list[tuple[str, np.ndarray]]:
    return [(name, _decode(name, data, size)) for name, data in encoded]


def _decode(name: str, data: Path | bytes, size: tuple[int, int] | None) -> np.ndarray:
    """One image as uint8 [h, w] if it is grey, else [h, w, 3]."""
    try:
        with Image.open(BytesIO(data) if isinstance(data, bytes) else data) as image:
            image.load()  # decodes all of it, to find truncated files
            if image.mode in _WITHOUT_RANGE:
                raise UserError(
                    f"{name}: has 32-bit pixels (mode {image.mode}) without a known range; save it with 8 bits"
                )
            if image.mode in _GREY_16_BIT:
                plain = Image.fromarray((np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8))
            else:
                plain = image.convert("L" if image.mode in _GREY else "RGB")
    except UserError:
        raise
    except UnidentifiedImageError:  # its text has a memory address in place of the name
        raise UserError(f"{name}: not an image, or of a format that Pillow does not know") from None
    except Exception as error:  # Pillow's formats raise many classes; only Pillow's code runs above
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{name}: the image cannot be decoded ({reason})") from None
    return np.asarray(_resized(plain, size) if size else plain)


def resize(pixels: Pixels, size: tuple[int, int]) -> np.ndarray:
    """Resize decoded images to (height, width), as ``decode_images`` does, into a memory map too.

    pixels: uint8 [n, 1 or 3, h, w].
    """

    def resized() -> Iterator[np.ndarray]:
        for image in (image for chunk in chunks(pixels) for image in chunk):
            plain = Image.fromarray(image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0)))
            array = np.asarray(_resized(plain, size))
            yield array[None] if array.ndim == 2 else array.transpose(2, 0, 1)

    return stack_on_disk(resized())


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    height, width = size
    return image.resize((width, height), Image.Resampling.BILINEAR)
