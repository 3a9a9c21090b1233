"""liveness: presentation and injection attack detection with a stated level."""
