"""Machines, the right to use them, and time."""
