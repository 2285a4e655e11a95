"""The project package: bottom rooms that everyone uses, top rooms that compose."""
