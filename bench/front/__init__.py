"""Pages while bodies and files trickle, beside the same pages alone."""
