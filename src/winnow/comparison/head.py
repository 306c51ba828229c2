"""How the page of a comparison begins."""

from collections.abc import Mapping


def head(title: str, command: str, about: Mapping[str, str]) -> str:
    """The title, the command of winnow that wrote the page, and each setting in a sentence."""
    settings = "\n".join(f"- **{name}**: {text}" for name, text in about.items())
    return f"""# {title}

`winnow {command}` wrote this page from the tables beside it: run it again, and the page changes with them. The
settings:

{settings}
"""
