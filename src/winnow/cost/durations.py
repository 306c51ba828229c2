"""Times in words."""


def duration(seconds: float) -> str:
    """Such as 8 s, 3:05 min or 2:10 h."""
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    minutes = round(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02d} h"


def about(seconds: float) -> str:
    """The same to the precision of a guess: 40 s, 4 min, 2:10 h."""
    if seconds < 90:
        return f"{max(10, round(seconds, -1)):.0f} s"
    if seconds < 3600:
        return f"{round(seconds / 60)} min"
    minutes = round(seconds / 600) * 10
    return f"{minutes // 60}:{minutes % 60:02d} h"
