"""One wire dialect a file or folder; each is a codec without I/O and a thin session."""
