"""Providers, and what bids hold of them: kept as columns, changed one row at a time."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from msgspec.structs import astuple, replace

from veperf.workloads.bidding.columns import Columns, Kind, Labels
from veperf.workloads.bidding.errors import ReservationError
from veperf.workloads.bidding.pricing import rates_of
from veperf.workloads.bidding.providers import Provider, Resources


class ProviderTable:
    """Providers by id. What bids have reserved of one outlives changes of its configuration."""

    def __init__(self, providers: Iterable[Provider] = ()) -> None:
        self.columns = Columns()
        self._labels = Labels()
        self._rows: dict[str, int] = {}
        self._providers: dict[str, Provider] = {}
        for provider in providers:
            self.add(provider)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, provider_id: object) -> bool:
        return provider_id in self._rows

    def get(self, provider_id: str) -> Provider:
        """The provider as it was last given.

        Raises:
            ReservationError: there is none.
        """
        self._row(provider_id)
        return self._providers[provider_id]

    def free(self, provider_id: str) -> tuple[int, int, int, int]:
        """Cores, GB of memory, GB of storage and GPUs that are for sale and that no bid holds.

        Raises:
            ReservationError: there is no such provider.
        """
        cpu, memory, storage, gpus = self.columns.free[:, self._row(provider_id)].tolist()
        return cpu, memory, storage, gpus

    def number(self, kind: Kind, name: str | tuple[str, str]) -> int:
        """The number of a label in the columns; ``labels.NONE`` where no provider has it."""
        return self._labels.number((kind, name))

    # ---------------------------------------------------------------- providers

    def add(self, provider: Provider) -> None:
        """Take ``provider`` in.

        Raises:
            ReservationError: one with its id is there.
        """
        if provider.id in self._rows:
            raise ReservationError(f"provider {provider.id} is there already; update it instead")
        row = self.columns.append()
        self._rows[provider.id] = row
        self._write(row, provider)

    def update(self, provider: Provider) -> None:
        """Put ``provider`` in the place of the one with its id; what bids hold stays held.

        Raises:
            ReservationError: there is none.
        """
        row = self._row(provider.id)
        old = self._providers[provider.id]
        self._write(row, provider)
        self._drop_labels(old)

    def remove(self, provider_id: str) -> None:
        """Take a provider out, and with it what bids held of it.

        Raises:
            ReservationError: there is none.
        """
        row = self._row(provider_id)
        last = self.columns.ids[self.columns.size - 1]
        self.columns.remove(row)
        self._rows[last] = row
        del self._rows[provider_id]
        self._drop_labels(self._providers.pop(provider_id))

    # ---------------------------------------------------------------- capacity

    def reserve(self, provider_id: str, resources: Resources) -> None:
        """Hold ``resources`` of a provider, so that no other bid is given them.

        Raises:
            ReservationError: there is no such provider, or it has not so much free.
        """
        row = self._row(provider_id)
        amounts = np.array(resources.amounts)
        # Where a provider has shrunk there is less than none free: enough for who wants none.
        if (self.columns.free[:, row] < amounts)[amounts > 0].any():
            raise ReservationError(f"provider {provider_id} has not so much free")
        self.columns.free[:, row] -= amounts
        self.columns.held[:, row] += amounts

    def release(self, provider_id: str, resources: Resources) -> None:
        """Give ``resources`` back that were reserved.

        Raises:
            ReservationError: there is no such provider, or not so much of it is held.
        """
        row = self._row(provider_id)
        amounts = np.array(resources.amounts)
        if (self.columns.held[:, row] < amounts).any():
            raise ReservationError(f"of provider {provider_id} not so much is held")
        self.columns.held[:, row] -= amounts
        self.columns.free[:, row] += amounts

    # ---------------------------------------------------------------- rows

    def _row(self, provider_id: str) -> int:
        row = self._rows.get(provider_id)
        if row is None:
            raise ReservationError(f"there is no provider {provider_id!r}")
        return row

    def _write(self, row: int, provider: Provider) -> None:
        # The caller may change the dict that it gave.
        provider = replace(provider, attributes=dict(provider.attributes))
        columns = self.columns
        columns.ids[row] = provider.id
        columns.active[row] = provider.active
        columns.free[:, row] = np.array(provider.for_sale) - columns.held[:, row]
        columns.rates[:, row] = astuple(rates_of(provider.pricing))
        for kind, names in _labels(provider).items():
            columns.set_labels(kind, row, [self._labels.hold((kind, name)) for name in names])
        self._providers[provider.id] = provider

    def _drop_labels(self, provider: Provider) -> None:
        for kind, names in _labels(provider).items():
            for name in names:
                self._labels.drop((kind, name))


def _labels(provider: Provider) -> Mapping[Kind, Sequence[str | tuple[str, str]]]:
    return {
        Kind.CURRENCY: (provider.pricing.currency,),
        Kind.OFFERING: provider.offerings,
        Kind.REGION: provider.regions,
        Kind.GPU_TYPE: (provider.gpu_type,),
        Kind.ATTRIBUTE: tuple(provider.attributes.items()),
    }
