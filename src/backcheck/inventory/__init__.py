"""What an account has: frozen types, the collector, the snapshot file."""
