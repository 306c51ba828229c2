"""What stages will cost: how much work each has by params.yaml, what a unit of it costs here, and the schedule."""
