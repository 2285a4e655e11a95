"""The REST router, one error format, and the answers that combine rooms."""
