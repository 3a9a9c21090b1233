"""benchmarks: one file a question; each prints a table and writes JSON and a figure."""
