"""A file streamed to a port: HPGL to a cutter."""
