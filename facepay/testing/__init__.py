"""What plugin authors and our own tests run against the seams: contracts and parts that fail on purpose."""
