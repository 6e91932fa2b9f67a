"""Hosts on a network whose cables can be cut, for tests of what must survive that."""
