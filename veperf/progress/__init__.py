"""Progress of long work: a bar in a terminal, plain lines in a log, one line in a notebook."""
