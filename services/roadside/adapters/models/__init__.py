"""Interpreters that run the nets, one file a backend."""
