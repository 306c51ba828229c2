"""The report: one HTML file with all that an experiment found, made from tables and pictures of other stages."""
