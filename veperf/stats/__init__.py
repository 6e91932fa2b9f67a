"""Statistics on arrays and runs: is it fast enough, and is it slower than it was?"""
