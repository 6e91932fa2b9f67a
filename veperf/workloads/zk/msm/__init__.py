"""Multi-scalar multiplication: over any points, over fixed points, and multiples of one point."""
