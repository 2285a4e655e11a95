"""SQLite as this project uses it (``ENGINE`` of the settings)."""
