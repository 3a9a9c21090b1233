"""hardware: cameras, inference and lights behind small Protocols."""
