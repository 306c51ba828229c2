"""Winnow without the pipeline: your own networks and data, in memory. What the package ``winnow`` exports."""
