"""Notify: who is told of which verdicts."""
