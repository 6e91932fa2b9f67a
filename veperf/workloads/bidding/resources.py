"""What orders ask for and providers have."""

from msgspec import Struct

from veperf.workloads.bidding.fields import check_quantity


class Resources(Struct, frozen=True, forbid_unknown_fields=True):
    """Amounts of the four resources, each from 0 to 10^15."""

    cpu_cores: int = 0
    memory_gb: int = 0
    storage_gb: int = 0
    gpus: int = 0

    def __post_init__(self) -> None:
        """Raises FieldError."""
        check_quantity("cpu_cores", self.cpu_cores)
        check_quantity("memory_gb", self.memory_gb)
        check_quantity("storage_gb", self.storage_gb)
        check_quantity("gpus", self.gpus)

    @property
    def amounts(self) -> tuple[int, int, int, int]:
        """CPU cores, GB of memory, GB of storage, GPUs."""
        return self.cpu_cores, self.memory_gb, self.storage_gb, self.gpus
