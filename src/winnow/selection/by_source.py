"""Which methods choose by the scores of other networks, and which by the scored networks' own in the same way."""

from collections.abc import Mapping

from winnow.selection.choices import Choice


def by_source(methods: Mapping[str, Choice]) -> list[str]:
    """The names of the methods that choose by a source of transfer, and of those that differ from one of these in the
    source only, in the order of ``methods``."""
    own = {name: (choice.method, {**choice.options, "source": None}) for name, choice in methods.items()}
    compared = [own[name] for name, choice in methods.items() if choice.options.get("source") is not None]
    return [name for name, options in own.items() if options in compared]
