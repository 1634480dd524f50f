"""The composition root: puts services together of settings, ports and adapters."""
