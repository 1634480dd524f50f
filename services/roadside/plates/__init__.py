"""Plates: keeps sightings and answers for them."""
