"""Networks being trained, from batches to finished runs."""
