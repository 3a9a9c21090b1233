"""What liveness does on recordings and photos; `python -m benchmarks.liveness`."""
