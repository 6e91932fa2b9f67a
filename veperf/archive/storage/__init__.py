"""Where an archive lies: in a folder of this machine, or at a URL that fsspec knows."""

from veperf.archive.storage.local import LocalStorage
from veperf.archive.storage.location import Location, locate, location_of
from veperf.archive.storage.opening import local_folder, open_storage, place_of
from veperf.archive.storage.protocol import Lock, Storage

__all__ = [
    "LocalStorage",
    "Location",
    "Lock",
    "Storage",
    "local_folder",
    "locate",
    "location_of",
    "open_storage",
    "place_of",
]
