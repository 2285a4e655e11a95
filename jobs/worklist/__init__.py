"""What needs a hand now, most urgent first."""
