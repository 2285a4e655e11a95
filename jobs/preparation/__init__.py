"""What the machine cannot take as it is becomes what it can; every result is inspected like an upload."""
