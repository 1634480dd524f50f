"""The registry service: tracks become sightings with a verdict."""
