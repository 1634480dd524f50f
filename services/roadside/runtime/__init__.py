"""What keeps stages running: settings, loops, progress."""
