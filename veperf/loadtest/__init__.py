"""Open-loop load: arrivals are fixed beforehand, latency counts from the scheduled arrival."""
