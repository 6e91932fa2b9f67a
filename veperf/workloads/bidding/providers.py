"""Providers: what each one sells, where and for how much."""

from msgspec import Struct

from veperf.workloads.bidding.errors import FieldError
from veperf.workloads.bidding.fields import (
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
    """No bid is lower."""

    def __post_init__(self) -> None:
        """Raises FieldError."""
        check_name("currency", self.currency)
        check_decimal("cpu_core", self.cpu_core)
        check_decimal("memory_gb", self.memory_gb)
        check_decimal("storage_gb", self.storage_gb)
        check_decimal("gpu", self.gpu)
        check_decimal("markup_percent", self.markup_percent)
        check_decimal("minimum", self.minimum)


class Provider(Struct, frozen=True, forbid_unknown_fields=True):
    """A provider as it is configured on the chain."""

    id: str
    pricing: Pricing
    capacity: Resources
    offerings: tuple[str, ...]
    regions: tuple[str, ...]
    reserved: Resources = Resources()
    """The part of the capacity that is not for sale."""
    gpu_type: str = ""
    """Of all its GPUs; empty where it has none, or does not say."""
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
            raise FieldError("more is reserved than there is")

    @property
    def for_sale(self) -> tuple[int, int, int, int]:
        """Capacity less what is reserved: CPU cores, GB of memory, GB of storage, GPUs."""
        cpu, memory, storage, gpus = self.capacity.amounts
        no_cpu, no_memory, no_storage, no_gpus = self.reserved.amounts
        return cpu - no_cpu, memory - no_memory, storage - no_storage, gpus - no_gpus
