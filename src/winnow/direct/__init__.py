"""The functions that ``winnow`` exports, for your own networks and data in memory, without the pipeline."""
