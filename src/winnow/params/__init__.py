"""The schema of params.yaml: units, ranges and defaults; a module for the sections that stages read together."""
