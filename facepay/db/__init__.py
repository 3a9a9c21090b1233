"""The database: one metadata, one way to open it, one file of tables per area."""
