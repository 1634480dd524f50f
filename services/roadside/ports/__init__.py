"""What the stages need of the world, as protocols; `adapters` meets them."""
