"""Photographs: what is known of them, how they are split, and the tool that turns a folder into a training set."""
