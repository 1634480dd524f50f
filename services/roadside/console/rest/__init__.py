"""The REST interface of the console: /api/v1, described by /api/v1/openapi.json."""
