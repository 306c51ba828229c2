from pathlib import Path

from winnow.cli.projects import keep_params
from winnow.comparison.project import Project


def test_what_is_shown_beside_a_comparison_names_no_folder_of_the_machine(tmp_path):
    images = tmp_path / "my images"
    first, second = (Project("tiny", repeat, tmp_path / f"tiny-{repeat + 1}") for repeat in range(2))
    texts = {first: f"download: {{path: '{images}'}}\n", second: "not of the first repeat\n"}

    keep_params(tmp_path, texts, str(images))

    assert (tmp_path / "params/tiny.yaml").read_text() == "download: {path: 'my images'}\n"
    assert [path.name for path in (tmp_path / "params").iterdir()] == ["tiny.yaml"]


def test_a_bucket_is_shown_whole(tmp_path):
    text = "download: {path: s3://bucket/folder}\n"

    keep_params(tmp_path, {Project("tiny", 0, Path("tiny-1")): text}, "s3://bucket/folder")

    assert (tmp_path / "params/tiny.yaml").read_text() == text
