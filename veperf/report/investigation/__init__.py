"""One benchmark of one run, from its verdict down to processes, samples and the machine."""
