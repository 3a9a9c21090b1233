"""Model packs as data: what each consists of, where it comes from, and what it was calibrated to."""
