"""The sections of a report, each a function from data to HTML."""
