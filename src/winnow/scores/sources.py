"""Where the runs and the scores lie of a source of transfer, of seeds that train on two halves in turn or without
labels, and what is computed on a target: beside those of the cohorts."""

from pathlib import Path


def run_of(source: str) -> str:
    """The name of a source's runs in the folder of all; no cohort has it, as names of these hold no dash."""
    return f"from-{source}"


def split_of(cohort: str) -> str:
    """Likewise the name of a cohort of second_split."""
    return f"split-{cohort}"


def pretrained(cohort: str) -> str:
    """Likewise the name of a cohort of pretrain."""
    return f"self-{cohort}"


def cut_of(level: str) -> str:
    """Likewise the name of what the networks of a level of pruning predict, beside the dense ones."""
    return f"cut-{level}"


def on(target: str) -> str:
    """The name of what networks make of a target, in the folder of all runs; no cohort has it."""
    return f"on-{target}"


def file_of(folder: Path, source: str, score: str) -> Path:
    """The file of one score of a source, seed by seed, in the folder of the cohorts' files."""
    return folder / f"{run_of(source)}-{score}.safetensors"
