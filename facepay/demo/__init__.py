"""The demonstration: the main job with people from photos, in front of an honest simulated camera."""
