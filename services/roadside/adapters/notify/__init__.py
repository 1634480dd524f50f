"""Channels that carry notifications."""
