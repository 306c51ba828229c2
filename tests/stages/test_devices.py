"""Every stage that trains runs on all devices that WINNOW_DEVICE names."""

from pathlib import Path

import winnow.stages

TRAINS = ("fit_side_by_side(", "retrain_on(", "train_on_halves(")
ON_ONE = {"pretrain.py"}  # its loss compares the images of a batch with each other


def test_every_stage_that_trains_does_so_on_all_devices():
    scripts = {path.name: path.read_text() for path in Path(winnow.stages.__file__).parent.glob("[a-z]*.py")}
    train = {name for name, text in scripts.items() if any(call in text for call in TRAINS)}
    on_all = {name for name, text in scripts.items() if "    main(on_all_devices(" in text}
    assert len(train) > 10
    assert train - ON_ONE == on_all
