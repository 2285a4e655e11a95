"""Who prints where, and when."""
