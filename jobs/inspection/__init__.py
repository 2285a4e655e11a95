"""What is in this file? Pure readers and a pure judgement: no framework, no database, no network."""
