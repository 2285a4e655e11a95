"""The people who use a lab."""
