"""The machines themselves."""
