"""Where the tickets lie that other stages read."""

from pathlib import Path


def ticket(level: str, seed: int) -> Path:
    """The file of a level's replicate."""
    return Path(f"data/tickets/{level}/seed{seed}/ticket.safetensors")
