"""The short names of ranked selection: a score, and how it picks images."""

import re
from typing import Any

GRAMMAR = (
    "SCORE[-epochE][-fromNAME|-seedsK[-groupG]][-windowF|-easy|-middle|-ends][-perclass|-equal], "
    "such as el2n, grand-epoch0, el2n-seeds1, el2n-window0.1, el2n-ends or random-perclass"
)


def parse_name(text: str) -> dict[str, Any]:
    """The options of ``ranked`` for a name
    ``SCORE[-epochE][-fromNAME|-seedsK[-groupG]][-windowF|-easy|-middle|-ends][-perclass|-equal]``.

    >>> parse_name("el2n-epoch5-window0.1-perclass")
    {'score': 'el2n', 'epoch': 5, 'window': 0.1, 'per_class': True}
    >>> parse_name("el2n-middle-equal")
    {'score': 'el2n', 'window': 'middle', 'per_class': True, 'equal': True}

    easy is the window that starts at 0.

    Raises ValueError that explains how to write a name.
    """
    match = re.fullmatch(
        r"([a-z0-9_]+?)(-epoch(\d+))?(-from(\w+)|-seeds(\d+)(-group(\d+))?)?"
        r"(-window(0?\.\d+|0)|-(easy|middle|ends))?(-perclass|-equal)?",
        text,
        re.ASCII,
    )
    if not match:
        raise ValueError(f"{text!r} is not a method; write {GRAMMAR}")
    score, _, epoch, _, source, seeds, _, group, _, window, part, classes = match.groups()
    options: dict[str, Any] = {"score": score}
    options |= {"epoch": int(epoch)} if epoch is not None else {}
    options |= {"source": source} if source is not None else {}
    options |= {"seeds": int(seeds)} if seeds is not None else {}
    options |= {"group": int(group)} if group is not None else {}
    options |= {"window": float(window)} if window is not None else {}
    options |= {"window": 0.0 if part == "easy" else part} if part is not None else {}
    options |= {"per_class": True} if classes is not None else {}
    return options | ({"equal": True} if classes == "-equal" else {})
