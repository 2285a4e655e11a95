"""The long-running watch over machines."""
