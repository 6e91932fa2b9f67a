"""Providers: their capacity, regions, offerings and prices."""

from msgspec import Struct

from veperf.workloads.bidding.errors import FieldError
from veperf.workloads.bidding.field_checks import (
    check_attributes,
    check_decimal,
    check_kind,
    check_name,
    check_names,
    check_quantity,
)


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


class Pricing(Struct, frozen=True, forbid_unknown_fields=True):
    """Prices an hour as decimals with at most 18 places, in ``currency``."""

    currency: str
    cpu_core: str
    memory_gb: str
    storage_gb: str
    gpu: str = "0"
    markup_percent: str = "0"
    minimum: str = "0"
    """Lowest price of a bid, an hour."""

    def __post_init__(self) -> None:
        """Raises FieldError."""
        check_name("currency", self.currency)
        for field in ("cpu_core", "memory_gb", "storage_gb", "gpu", "markup_percent", "minimum"):
            check_decimal(field, getattr(self, field))


class Provider(Struct, frozen=True, forbid_unknown_fields=True):
    """A provider's configuration on the chain."""

    id: str
    pricing: Pricing
    capacity: Resources
    offerings: tuple[str, ...]
    regions: tuple[str, ...]
    reserved: Resources = Resources()
    """Part of the capacity that is not for sale."""
    gpu_type: str = ""
    """Type of all its GPUs; empty if it has none or the type is unknown."""
    attributes: dict[str, str] = {}
    active: bool = True

    def __post_init__(self) -> None:
        """Raises FieldError."""
        check_name("id", self.id)
        check_kind("pricing", self.pricing, Pricing)
        check_kind("capacity", self.capacity, Resources)
        check_kind("reserved", self.reserved, Resources)
        check_kind("active", self.active, bool)
        check_names("offerings", self.offerings)
        check_names("regions", self.regions)
        if self.gpu_type != "":
            check_name("gpu_type", self.gpu_type)
        check_attributes(self.attributes)
        pairs = zip(self.reserved.amounts, self.capacity.amounts, strict=True)
        if any(reserved > total for reserved, total in pairs):
            raise FieldError("reserved exceeds the capacity")

    @property
    def for_sale(self) -> tuple[int, int, int, int]:
        """Capacity less the reserved part: CPU cores, GB of memory, GB of storage, GPUs."""
        cpu, memory, storage, gpus = self.capacity.amounts
        no_cpu, no_memory, no_storage, no_gpus = self.reserved.amounts
        return cpu - no_cpu, memory - no_memory, storage - no_storage, gpus - no_gpus
