"""Sweeps through the model: routes of many scenarios, parts, and where they are solved."""
