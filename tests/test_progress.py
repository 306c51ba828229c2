import json

from winnow import progress


def test_progress_goes_to_a_file_where_one_is_named(tmp_path, monkeypatch):
    file = tmp_path / "progress"
    monkeypatch.setenv(progress.FILE, str(file))
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_WRITES", 0.0)
    with progress.progress(10, "early@a", "step", done=4) as bar:
        assert json.loads(file.read_text()) == {"label": "early@a", "done": 4, "total": 10, "unit": "step"}
        bar.update(2)
        assert json.loads(file.read_text())["done"] == 6
    assert not file.exists()


def test_no_more_than_a_few_writes_a_second(tmp_path, monkeypatch):
    file = tmp_path / "progress"
    monkeypatch.setenv(progress.FILE, str(file))
    assert list(progress.shown(range(1000), 1000, "read", "image")) == list(range(1000))
    with progress.progress(10, "early@a", "step") as bar:
        for _ in range(3):
            bar.update(1)
        assert json.loads(file.read_text())["done"] == 0


def test_a_bar_elsewhere(monkeypatch, capsys):
    monkeypatch.delenv(progress.FILE, raising=False)
    assert list(progress.shown("ab", 2, "read", "image")) == ["a", "b"]
    assert capsys.readouterr().out == ""
