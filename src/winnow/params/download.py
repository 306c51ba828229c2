"""The sections download and labels: where the images come from, and which labels they get."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from winnow.params.base import Fraction, Section, Seed

FROM_FOLDER = ("image_folder", "parquet", "webdataset")  # the sources that read download.path
OF_SHARDS = ("parquet", "webdataset")  # those that read it from object storage too
REMOTE = "s3://"


class Download(Section):
    """Where the images come from, and how they are split into train, validation and test."""

    source: str = "digits"
    # the folder with train/ and test/ (image_folder) or with train and test .parquet (parquet) or .tar
    # (webdataset), these two also as s3://bucket/folder; null for other sources
    path: str | None = None
    # what is on the disk: pixels, decoded once; or files as they come, decoded whenever they are read, where the pixels
    # would not fit; the results are the same
    keep: Literal["pixels", "encoded"] = "pixels"
    size: tuple[int, int] | None = None  # resize to (height, width) in pixels; needed where the sizes differ
    first: Annotated[int, Field(ge=1)] | None = None  # use only the first n training images
    first_test: Annotated[int, Field(ge=1)] | None = None  # use only the first n test images
    validation: Fraction = 0.1  # fraction of the training images held out, the same for every class
    # how many times as many training images the first class keeps as the last, falling exponentially; null keeps all
    long_tail: Annotated[float, Field(gt=1)] | None = None
    seed: Seed = 0  # which images are held out, and which a long tail leaves out

    @field_validator("size", mode="before")
    @classmethod
    def _size(cls, value: Any) -> Any:
        if isinstance(value, list) and len(value) == 2 and all(isinstance(v, int) and v > 0 for v in value):
            return tuple(value)
        if value is not None:
            raise ValueError("must be [height, width] in pixels, such as [32, 32]")
        return value

    @model_validator(mode="after")
    def _path(self) -> Self:
        check_path("download.", self.source, self.path)
        if self.keep == "encoded" and self.source not in FROM_FOLDER:
            raise ValueError(f"download.keep: {self.source} has no encoded images: set it to pixels")
        return self


class Labels(Section):
    """Which labels the training images get: the source's own, or the user's, and for experiments noise."""

    file: str | None  # csv or parquet of the user's labels: a column id, and the labels; the other images keep theirs
    column: str  # of the file: which one has the labels, by name or number of the class
    # which labels are right, where file and source differ: the file's (a review), or the source's (a test of detectors)
    right: Literal["file", "source"]
    noise: Annotated[float, Field(ge=0, le=1)]  # fraction of the training images whose label is then drawn anew
    seed: Seed  # of the noise
    # of the file: a column that is 1 or true for images whose label is known to be right; a cohort can train on these
    trusted: str | None

    @model_validator(mode="after")
    def _file(self) -> Self:
        _refuse_home("labels.file", self.file, "file")
        if self.trusted is not None and self.file is None:
            raise ValueError(f"labels.trusted: {self.trusted} is a column of labels.file, which is null: name a file")
        if self.file is None:
            return self
        if Path(self.file).suffix not in (".csv", ".parquet"):
            raise ValueError(f"labels.file: {self.file}: must end with .csv or .parquet")
        if Path(self.file).resolve().is_relative_to(Path("data").resolve()):
            raise ValueError(
                f"labels.file: {self.file}: the pipeline writes data/ itself: copy it, such as to labels.csv"
            )
        return self


def check_path(section: str, source: str, path: str | None) -> None:
    """Raise ValueError if a source that reads a path has none, or another has one. section: what stands before keys."""
    if source in FROM_FOLDER and not path:
        raise ValueError(f"{section}path is needed when {section}source is {source}: the folder to read")
    if source not in FROM_FOLDER and path is not None:
        raise ValueError(f"{section}path is not read when {section}source is {source}: set it to null")
    _refuse_home(f"{section}path", path, "folder")
    if path and "://" in path:
        if not path.startswith(REMOTE):
            raise ValueError(f"{section}path: {path}: must be a folder, or {REMOTE}bucket/folder")
        if path.endswith("/") or not path.removeprefix(REMOTE):
            raise ValueError(f"{section}path: {path}: must be {REMOTE}bucket/folder, without a slash at the end")
        if source not in OF_SHARDS:
            raise ValueError(
                f"{section}path: {path}: {source} reads a folder of this machine; from object storage "
                f"{' and '.join(OF_SHARDS)} read files of many images"
            )


def _refuse_home(key: str, path: str | None, what: str) -> None:
    if path and path.startswith("~"):
        whole = Path(path).expanduser()
        raise ValueError(f"{key}: {path}: DVC, which watches the {what}, does not know ~: write {whole}")
