"""Investigation of a benchmark: its verdict, processes, samples and the machine's state."""
