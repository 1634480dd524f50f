"""Buses: in memory, and on Redis Streams."""
