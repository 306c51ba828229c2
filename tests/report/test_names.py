import numpy as np
import pytest

from winnow.report.names import name_points
from winnow.report.style import Style, drawing, new_figure


def panel(*points):
    with drawing(Style()):
        axes = new_figure(Style(), 4, 3).subplots()
    axes.set(xlim=(0, 10), ylim=(0, 10))
    axes.plot(*np.reshape(points, (-1, 2)).T, marker="o", linestyle="")
    return axes


def named(axes, **points):
    name_points(axes, points, (3.5, 2.5), Style())
    return {text.get_text(): text for text in axes.texts}


def test_names_stand_beside_their_points_and_clear_of_all_others():
    points = {"a-level": (5.0, 5.0), "b-level": (5.0, 5.1), "c-level": (9.9, 5.0), "d-level": (1.0, 9.9)}
    axes = panel(*points.values())
    found = named(axes, **points)
    assert found.keys() == points.keys()
    axes.figure.canvas.draw()
    boxes = [text.get_window_extent().shrunk(0.95, 0.8) for text in found.values()]
    assert not any(box.overlaps(other) for box in boxes for other in boxes if box is not other)
    for box in boxes:
        assert not any(box.contains(*axes.transData.transform(point)) for point in points.values())
    width = axes.get_window_extent().width
    for name, point in points.items():
        away = np.subtract(found[name].get_window_extent().get_points().mean(axis=0), axes.transData.transform(point))
        assert np.hypot(*away) < 0.15 * width


def test_without_room_or_out_of_view_a_point_has_no_name():
    crowd = [(x, y) for x in np.linspace(4, 6, 15) for y in np.linspace(4, 6, 15)]
    assert list(named(panel(*crowd), within=(5.0, 5.0), beyond=(11.0, 5.0), beside=(6.0, 5.0))) == ["beside"]


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_the_scale_and_the_direction_of_an_axis_do_not_matter(scale):
    axes = panel((1.0, 5.0), (1.2, 5.0))
    axes.set(xscale=scale, xlim=(100, 0.9), ylim=(0, 10))
    assert named(axes, edge=(100.0, 5.0))["edge"].get_ha() == "left"
    assert named(axes, end=(1.0, 5.0))["end"].get_ha() == "right"
