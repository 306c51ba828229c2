"""What torch's autograd lacks, or is slow at: gradient norms of single examples, cheap second derivatives.
Each replaces calls that a network makes while it runs (``override``)."""
