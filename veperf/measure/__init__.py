"""How things are measured: clock and loops, worker processes, passes, machine facts."""
