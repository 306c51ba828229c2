"""The scripts of the pipeline: each reads its params and inputs, calls the library, and writes its outputs."""
