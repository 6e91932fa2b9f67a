"""The work that is measured: real implementations, usable as libraries."""
