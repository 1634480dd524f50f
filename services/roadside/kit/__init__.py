"""What every service is built with and that knows none of them: loops, retries, health, logs, metrics, gRPC."""
