"""Push to browsers, ignorant of what it carries."""
