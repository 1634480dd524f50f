"""What the console asks of the other services, over gRPC: its ports, each at its service."""
