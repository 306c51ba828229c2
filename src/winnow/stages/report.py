"""Write the report: one HTML file with all that the experiment found."""

from winnow.datasets.images import load_pixels
from winnow.page.files import Folder
from winnow.page.page import Experiment, page
from winnow.params.base import read_yaml
from winnow.stages._stage import main
from winnow.storage import atomic_file


def report() -> None:
    files = Folder()
    text = (files.read("params.yaml") or b"").decode()  # all of it is shown, so it is an input like any other
    experiment = Experiment(files, read_yaml("params.yaml"), text, load_pixels("data/images", "train"))
    with atomic_file("report/index.html") as path:
        path.write_text(page(experiment), encoding="utf-8")


if __name__ == "__main__":
    main(report)
