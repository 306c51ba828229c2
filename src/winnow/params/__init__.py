"""The schema of params.yaml, with units and ranges: one module for the sections that stages read together."""
