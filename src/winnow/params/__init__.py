"""The schema of params.yaml: units and ranges; a module for the sections that stages read together."""
