"""Notify: who is told of which verdicts, and how notices get through."""
