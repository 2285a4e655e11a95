"""A person leaves for good: what names them goes, what counts stays (PRIV-7)."""
