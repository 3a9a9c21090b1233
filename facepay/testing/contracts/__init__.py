"""Contracts of the plugin groups, to be run by whoever writes a plugin."""
