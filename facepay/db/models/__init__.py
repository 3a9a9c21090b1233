"""One file of tables per area; importing a file adds its tables to `Base.metadata`."""
