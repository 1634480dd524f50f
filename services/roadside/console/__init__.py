"""The console: web pages and a REST interface over what the pipeline has seen."""
