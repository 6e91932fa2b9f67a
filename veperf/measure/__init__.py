"""Timing in fresh worker processes: clock, calibration, worker protocol, passes, machine facts."""
