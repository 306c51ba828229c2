"""What torch's autograd does not give, or not fast enough: gradient norms of single examples, cheap second derivatives.
Each replaces calls that a network makes while it runs (``override``)."""
