"""Who may use which kind of machine."""
