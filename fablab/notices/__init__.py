"""Messages to people. Knows people and nothing above: what a message is about is a code, values and an address."""
