"""Drivers: how files and orders reach machines. No Django here, and no driver knows another."""
