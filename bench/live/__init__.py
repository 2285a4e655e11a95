"""From a machine's word to a browser's socket, beside a bare relay of the same messages."""
