"""The tables of a report, apart from how they are written: text, Markdown or HTML."""
