"""Open-loop load: arrivals fixed beforehand, latency from the scheduled arrival to the commit."""
