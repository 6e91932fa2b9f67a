"""Charts: marks computed once, drawn as inline SVG in reports and by matplotlib in notebooks."""
