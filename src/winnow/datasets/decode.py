"""Decode images (PNG, JPEG, …) with Pillow to pixels of one size and number of channels."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from winnow import cores
from winnow.datasets.encoded import AT_ONCE, Encoded
from winnow.datasets.images import Pixels, chunks
from winnow.errors import UserError
from winnow.progress import shown
from winnow.storage import gathered, stack_on_disk

# torchvision's list, in lower case; sources skip files with other endings
EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
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
                raise _differ(first, shape, name, (height, width))
            coloured = coloured or image.ndim == 3
            yield image.transpose(2, 0, 1) if image.ndim == 3 else np.broadcast_to(image, (3, *shape))

    pixels = stack_on_disk(as_rgb())
    return pixels if coloured else pixels[:, :1]


def keep_encoded(
    encoded: Iterable[tuple[str, Path | bytes]], count: int, size: tuple[int, int] | None, label: str
) -> Encoded:
    """As ``decode_images``, but the images stay encoded, in a memory map, and only the beginnings of their files are
    read. So an image that is damaged further on is named when it is decoded.
    """
    names: list[str] = []
    ends, of_image, coloured = [0], (0, 0), False

    def files() -> Iterator[np.ndarray]:
        nonlocal of_image, coloured
        for name, given in shown(encoded, count, label, "image"):
            data = given if isinstance(given, bytes) else _file(name, given)
            own, grey = _beginning(name, data)
            of_image = of_image if names else size or own
            if not size and own != of_image:
                raise _differ(names[0], of_image, name, own)
            coloured = coloured or not grey
            names.append(name)
            ends.append(ends[-1] + len(data))
            yield np.frombuffer(data, np.uint8)

    (data,) = gathered((file,) for file in files())
    return Encoded(data, np.array(ends), (3 if coloured else 1, *of_image), size is not None, names.__getitem__)


def _file(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{name}: cannot be read ({error.strerror})") from None


def _beginning(name: str, data: bytes) -> tuple[tuple[int, int], bool]:
    """Height and width of an image, and whether it is grey."""
    with _understood(name), Image.open(BytesIO(data)) as image:
        return (image.height, image.width), image.mode in (*_GREY, *_GREY_16_BIT)


def _differ(first: str, shape: tuple[int, int], name: str, other: tuple[int, int]) -> UserError:
    return UserError(
        f"download.size is needed, as images differ in size: {first} is {shape[0]}x{shape[1]} pixels high "
        f"and wide, {name} is {other[0]}x{other[1]}; set it to [height, width], such as [32, 32]"
    )


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
    return [(name, decode(name, data, size)) for name, data in encoded]


def decode(name: str, data: Path | bytes, size: tuple[int, int] | None) -> np.ndarray:
    """One image as uint8 [h, w] if it is grey, else [h, w, 3]. Raises UserError that names a damaged one."""
    with _understood(name), Image.open(BytesIO(data) if isinstance(data, bytes) else data) as image:
        image.load()  # decodes all of it, to find truncated files
        if image.mode in _WITHOUT_RANGE:
            raise UserError(f"{name}: has 32-bit pixels (mode {image.mode}) without a known range; save it with 8 bits")
        if image.mode in _GREY_16_BIT:
            plain = Image.fromarray((np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8))
        else:
            plain = image.convert("L" if image.mode in _GREY else "RGB")
    return np.asarray(_resized(plain, size) if size else plain)


@contextmanager
def _understood(name: str) -> Iterator[None]:
    """Turn what Pillow raises over a damaged image into a UserError that names it."""
    try:
        yield
    except UserError:
        raise
    except UnidentifiedImageError:  # its text has a memory address in place of the name
        raise UserError(f"{name}: not an image, or of a format that Pillow does not know") from None
    except Exception as error:  # Pillow's formats raise many classes; only Pillow's code runs above
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{name}: the image cannot be decoded ({reason})") from None


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


Read = Callable[[Iterable[tuple[str, Path | bytes]], int, tuple[int, int] | None, str], Pixels]
READ: dict[str, Read] = {"pixels": decode_images, "encoded": keep_encoded}  # by what download keeps (download.keep)
