"""What shows the system at work: servers to talk to, a lab to look at. Nothing imports it."""
