"""What touches the world: buses, models, databases, cameras."""
