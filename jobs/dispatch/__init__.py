"""From the queue to the machine."""
