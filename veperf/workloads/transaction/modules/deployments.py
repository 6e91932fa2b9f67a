"""Deployments and their groups in the chain's state, as VirtEngine's ``x/deployment`` has them.

With the address of a tenant as one byte of length and its bytes, dseq in 8 bytes and gseq in 4,
big-endian::

    deployment   11 00 state owner dseq         state: 1 active, 2 closed
    group        12 00 state owner dseq gseq    1 open, 2 paused, 3 insufficient funds, 4 closed
"""

from collections.abc import Sequence
from struct import Struct
from typing import Any

from veperf.workloads.market.codec import fill_spec, read_spec
from veperf.workloads.market.keys import address_part
from veperf.workloads.market.records import GroupId, GroupSpec
from veperf.workloads.transaction.cache import KeyValueStore
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.modules import virtengine_wire as wire

ACTIVE, CLOSED = 1, 2
GROUP_OPEN, GROUP_PAUSED, GROUP_INSUFFICIENT_FUNDS, GROUP_CLOSED = 1, 2, 3, 4
_DEPLOYMENTS, _GROUPS = b"\x11\x00", b"\x12\x00"
_DSEQ, _GSEQ = Struct(">Q"), Struct(">I")


def add_deployment(
    deployments: KeyValueStore,
    owner: str,
    dseq: int,
    groups: Sequence[GroupSpec],
    manifest_hash: bytes,
    height: int,
) -> tuple[GroupId, ...]:
    """Write an active deployment and its open groups; return the groups' ids.

    Raises:
        TransactionRefused: ``DEPLOYMENT_EXISTS``.
    """
    if deployment_state(deployments, owner, dseq):
        raise TransactionRefused(Code.DEPLOYMENT_EXISTS, f"{owner}/{dseq}")
    record = wire.Deployment(state=ACTIVE, hash=manifest_hash, created_at=height)
    record.id.owner, record.id.dseq = owner, dseq
    deployments.set(_deployment_key(ACTIVE, owner, dseq), record.SerializeToString())
    ids = []
    for gseq, spec in enumerate(groups, start=1):
        id = GroupId(owner, dseq, gseq)
        group = wire.Group(state=GROUP_OPEN, created_at=height)
        group.id.owner, group.id.dseq, group.id.gseq = owner, dseq, gseq
        fill_spec(group.group_spec, spec)
        deployments.set(_group_key(GROUP_OPEN, id), group.SerializeToString())
        ids.append(id)
    return tuple(ids)


def deployment_state(deployments: KeyValueStore, owner: str, dseq: int) -> int:
    """Return the state of a deployment; 0 if there is none."""
    for state in (ACTIVE, CLOSED):
        if deployments.get(_deployment_key(state, owner, dseq)) is not None:
            return state
    return 0


def close_deployment(
    deployments: KeyValueStore, owner: str, dseq: int, group_state: int
) -> list[GroupId]:
    """Close an active deployment and its groups; return the ids of those that weren't closed.

    ``group_state`` is that of the groups from now on.
    """
    key = _deployment_key(ACTIVE, owner, dseq)
    record = wire.Deployment.FromString(deployments.get(key))
    deployments.remove(key)
    record.state = CLOSED
    deployments.set(_deployment_key(CLOSED, owner, dseq), record.SerializeToString())
    ids = []
    for state in (GROUP_OPEN, GROUP_PAUSED, GROUP_INSUFFICIENT_FUNDS):
        prefix = _GROUPS + bytes([state]) + address_part(owner) + _DSEQ.pack(dseq)
        for _, data in list(deployments.iterate(prefix, prefix + b"\xff" * 5)):
            group = wire.Group.FromString(data)
            id = GroupId(owner, dseq, group.id.gseq)
            _move_group(deployments, id, group, group_state)
            ids.append(id)
    return ids


def group_state(deployments: KeyValueStore, id: GroupId) -> int:
    """Return the state of a group; 0 if there is none."""
    group = _find_group(deployments, id)
    return 0 if group is None else int(group.state)


def group_spec(deployments: KeyValueStore, id: GroupId) -> GroupSpec:
    """Return what a group asks for.

    Raises:
        LookupError: there is no such group.
    """
    return read_spec(_require_group(deployments, id).group_spec)


def pause_group(deployments: KeyValueStore, id: GroupId) -> None:
    """Pause an open group: it gets no order until its tenant starts it again."""
    group = _require_group(deployments, id)
    if group.state == GROUP_OPEN:
        _move_group(deployments, id, group, GROUP_PAUSED)


def _require_group(deployments: KeyValueStore, id: GroupId) -> Any:
    group = _find_group(deployments, id)
    if group is None:
        raise LookupError(f"there is no group {id}")
    return group


def _find_group(deployments: KeyValueStore, id: GroupId) -> Any | None:
    for state in (GROUP_OPEN, GROUP_PAUSED, GROUP_INSUFFICIENT_FUNDS, GROUP_CLOSED):
        data = deployments.get(_group_key(state, id))
        if data is not None:
            return wire.Group.FromString(data)
    return None


def _move_group(deployments: KeyValueStore, id: GroupId, group: Any, to: int) -> None:
    deployments.remove(_group_key(group.state, id))
    group.state = to
    deployments.set(_group_key(to, id), group.SerializeToString())


def _deployment_key(state: int, owner: str, dseq: int) -> bytes:
    return _DEPLOYMENTS + bytes([state]) + address_part(owner) + _DSEQ.pack(dseq)


def _group_key(state: int, id: GroupId) -> bytes:
    owner = address_part(id.owner)
    return _GROUPS + bytes([state]) + owner + _DSEQ.pack(id.dseq) + _GSEQ.pack(id.gseq)
