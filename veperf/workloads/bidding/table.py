"""The table of providers and their reserved resources, stored as columns."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from msgspec.structs import astuple, replace

from veperf.workloads.bidding.columns import InternTable, LabelKind, ProviderColumns
from veperf.workloads.bidding.errors import ReservationError
from veperf.workloads.bidding.pricing import parse_rates
from veperf.workloads.bidding.providers import Provider, Resources


class ProviderTable:
    """Providers by id. Reservations of a provider outlive changes of its configuration."""

    def __init__(self, providers: Iterable[Provider] = ()) -> None:
        self.columns = ProviderColumns()
        self._labels = InternTable()
        self._rows: dict[str, int] = {}
        self._providers: dict[str, Provider] = {}
        for provider in providers:
            self.add(provider)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, provider_id: object) -> bool:
        return provider_id in self._rows

    def get(self, provider_id: str) -> Provider:
        """Return the provider as it was last set.

        Raises:
            ReservationError: there is no such provider.
        """
        self._row(provider_id)
        return self._providers[provider_id]

    def free(self, provider_id: str) -> tuple[int, int, int, int]:
        """Return cores, GB of memory, GB of storage and GPUs that are for sale and not reserved.

        Raises:
            ReservationError: there is no such provider.
        """
        cpu, memory, storage, gpus = self.columns.free[:, self._row(provider_id)].tolist()
        return cpu, memory, storage, gpus

    def number(self, kind: LabelKind, name: str | tuple[str, str]) -> int:
        """Return the number of a label in the columns; ``NO_LABEL`` if no provider has it."""
        return self._labels.number((kind, name))

    # ---------------------------------------------------------------- providers

    def add(self, provider: Provider) -> None:
        """Add ``provider``.

        Raises:
            ReservationError: there is one with its id.
        """
        if provider.id in self._rows:
            raise ReservationError(f"provider {provider.id} exists already; update it instead")
        row = self.columns.append()
        self._rows[provider.id] = row
        self._write(row, provider)

    def update(self, provider: Provider) -> None:
        """Replace the provider with the same id; reservations stay.

        Raises:
            ReservationError: there is no such provider.
        """
        row = self._row(provider.id)
        old = self._providers[provider.id]
        self._write(row, provider)
        self._drop_labels(old)

    def remove(self, provider_id: str) -> None:
        """Remove a provider and its reservations.

        Raises:
            ReservationError: there is no such provider.
        """
        row = self._row(provider_id)
        last = self.columns.ids[self.columns.size - 1]
        self.columns.remove(row)
        self._rows[last] = row
        del self._rows[provider_id]
        self._drop_labels(self._providers.pop(provider_id))

    # ---------------------------------------------------------------- capacity

    def reserve(self, provider_id: str, resources: Resources) -> None:
        """Reserve ``resources`` of a provider, so that no other bid gets them.

        Raises:
            ReservationError: there is no such provider, or too little is free.
        """
        row = self._row(provider_id)
        amounts = np.array(resources.amounts)
        # A provider that has shrunk has a negative amount free: enough if none is needed.
        if (self.columns.free[:, row] < amounts)[amounts > 0].any():
            raise ReservationError(f"provider {provider_id} has too little free")
        self.columns.free[:, row] -= amounts
        self.columns.held[:, row] += amounts

    def release(self, provider_id: str, resources: Resources) -> None:
        """Release ``resources`` that were reserved.

        Raises:
            ReservationError: there is no such provider, or less is reserved.
        """
        row = self._row(provider_id)
        amounts = np.array(resources.amounts)
        if (self.columns.held[:, row] < amounts).any():
            raise ReservationError(f"provider {provider_id} has less reserved")
        self.columns.held[:, row] -= amounts
        self.columns.free[:, row] += amounts

    # ---------------------------------------------------------------- rows

    def _row(self, provider_id: str) -> int:
        row = self._rows.get(provider_id)
        if row is None:
            raise ReservationError(f"there is no provider {provider_id!r}")
        return row

    def _write(self, row: int, provider: Provider) -> None:
        # The caller may change its dict later.
        provider = replace(provider, attributes=dict(provider.attributes))
        columns = self.columns
        columns.ids[row] = provider.id
        columns.active[row] = provider.active
        columns.free[:, row] = np.array(provider.for_sale) - columns.held[:, row]
        columns.rates[:, row] = astuple(parse_rates(provider.pricing))
        for kind, names in _labels_of(provider).items():
            columns.set_labels(kind, row, [self._labels.hold((kind, name)) for name in names])
        self._providers[provider.id] = provider

    def _drop_labels(self, provider: Provider) -> None:
        for kind, names in _labels_of(provider).items():
            for name in names:
                self._labels.drop((kind, name))


def _labels_of(provider: Provider) -> Mapping[LabelKind, Sequence[str | tuple[str, str]]]:
    return {
        LabelKind.CURRENCY: (provider.pricing.currency,),
        LabelKind.OFFERING: provider.offerings,
        LabelKind.REGION: provider.regions,
        LabelKind.GPU_TYPE: (provider.gpu_type,),
        LabelKind.ATTRIBUTE: tuple(provider.attributes.items()),
    }
