"""Files of other benchmark tools, one module a tool: reader and writer together."""
