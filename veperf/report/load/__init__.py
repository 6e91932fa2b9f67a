"""How load is shown: what rate is sustained, at what latency, and where the CPU time goes."""
