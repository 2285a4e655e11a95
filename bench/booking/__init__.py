"""Bookings a second over HTTP, one slot wanted by many, and what calendars cost, at 1,000 to 100,000 bookings."""
