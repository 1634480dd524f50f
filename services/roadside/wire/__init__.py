"""What crosses process borders: events, pictures and errors, and their protobuf forms."""
