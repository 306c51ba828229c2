"""Pictures inside the page: small files, as data URIs."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from winnow.datasets.images import Pixels

WIDEST = 1400  # pixels
COLOURS = 256  # of a drawing, of which most pictures have fewer
OF_A_PHOTO = 3000  # distinct colours, from which a picture has photos in it
QUALITY = 80


@dataclass(frozen=True)
class Picture:
    uri: str
    width: int
    height: int


def embedded(content: bytes) -> Picture:
    """A picture file as WebP: with photos, lossy; else, without loss but for a palette. At most 1400 pixels wide."""
    image = Image.open(BytesIO(content)).convert("RGB")
    if image.width > WIDEST:
        image = image.resize((WIDEST, round(image.height * WIDEST / image.width)), Image.Resampling.LANCZOS)
    if image.getcolors(OF_A_PHOTO) is None and _has_photos(image):
        return Picture(_uri(image, quality=QUALITY), *image.size)
    drawn = image.quantize(COLOURS, dither=Image.Dither.NONE).convert("RGB")
    return Picture(_uri(drawn, lossless=True, method=2), *image.size)


def _has_photos(image: Image.Image) -> bool:
    """Whether a palette would change it much: by more than 4 of 255 on average where it is not white."""
    drawn = image.quantize(COLOURS, dither=Image.Dither.NONE).convert("RGB")
    before, after = (np.asarray(each, np.int16) for each in (image, drawn))
    ink = (before < 250).any(axis=2)
    return bool(ink.any()) and float(np.abs(before - after)[ink].mean()) > 4


@dataclass(frozen=True)
class Sprites:
    """Small images, ``across`` beside each other on each sheet, ``per_sheet`` on a sheet, each of width x height."""

    sheets: list[str]
    width: int
    height: int
    across: int
    per_sheet: int

    def about(self) -> dict[str, Any]:
        return dict(vars(self))


def sprites(pixels: Pixels, rows: Sequence[int], side: int, across: int = 10, down: int = 10) -> Sprites:
    """Sheets with these rows of the pixels, uint8 [n, channels, height, width]. Images larger than ``side`` become
    smaller; of more than three channels the first is shown.

    Sheets without loss where images are tiny, as each pixel is seen; else lossy.
    """
    _, channels, height, width = pixels.shape
    shrink = min(1.0, side / max(height, width))
    wide, high = (max(1, round(length * shrink)) for length in (width, height))
    sheets = []
    for start in range(0, len(rows), across * down):
        shown = rows[start : start + across * down]
        sheet = Image.new("RGB", (across * wide, -(-len(shown) // across) * high), "white")
        for place, row in enumerate(shown):
            image = pixels[row].transpose(1, 2, 0) if channels == 3 else pixels[row][0]
            small = Image.fromarray(np.ascontiguousarray(image)).convert("RGB")
            small = small if shrink == 1 else small.resize((wide, high), Image.Resampling.LANCZOS)
            sheet.paste(small, (place % across * wide, place // across * high))
        tiny = max(wide, high) <= 16
        sheets.append(_uri(sheet, lossless=True, method=2) if tiny else _uri(sheet, quality=QUALITY))
    return Sprites(sheets, wide, high, across, across * down)


def _uri(image: Image.Image, **options: Any) -> str:
    file = BytesIO()
    image.save(file, "WEBP", **options)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"
