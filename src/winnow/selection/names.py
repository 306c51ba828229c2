"""The short names of ranked selection: a score, and how it picks images."""

import re
from typing import Any

GRAMMAR = (
    "SCORE[-epochE][-fromNAME|-seedsK[-groupG]][-windowF][-perclass], "
    "such as el2n, grand-epoch0, el2n-seeds1, el2n-window0.1 or random-perclass"
)


def parse_name(text: str) -> dict[str, Any]:
    """The options of ``ranked`` for a name
    ``SCORE[-epochE][-fromNAME|-seedsK[-groupG]][-windowF][-perclass]``.

    >>> parse_name("el2n-epoch5-window0.1-perclass")
    {'score': 'el2n', 'epoch': 5, 'window': 0.1, 'per_class': True}

    Raises ValueError that explains how to write a name.
    """
    match = re.fullmatch(
        r"([a-z0-9_]+?)(-epoch(\d+))?(-from(\w+)|-seeds(\d+)(-group(\d+))?)?(-window(0?\.\d+|0))?(-perclass)?",
        text,
        re.ASCII,
    )
    if not match:
        raise ValueError(f"{text!r} is not a method; write {GRAMMAR}")
    score, _, epoch, _, source, seeds, _, group, _, window, per_class = match.groups()
    options: dict[str, Any] = {"score": score}
    options |= {"epoch": int(epoch)} if epoch is not None else {}
    options |= {"source": source} if source is not None else {}
    options |= {"seeds": int(seeds)} if seeds is not None else {}
    options |= {"group": int(group)} if group is not None else {}
    options |= {"window": float(window)} if window is not None else {}
    return options | ({"per_class": True} if per_class is not None else {})
