"""The training of networks, from batches to finished runs."""
