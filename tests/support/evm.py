"""Contracts in py-evm, an Ethereum virtual machine in Python."""

from typing import Any

from eth import constants
from eth.chains.base import MiningChain
from eth.db.atomic import AtomicDB
from eth.vm.forks.paris import ParisVM

_GAS = 5_000_000
_ADDRESS, _SENDER = b"\x11" * 20, b"\x22" * 20


class Contract:
    """A contract on a chain of its own."""

    def __init__(self, bytecode: bytes) -> None:
        """Deploy ``bytecode``."""
        rules = ((constants.GENESIS_BLOCK_NUMBER, ParisVM),)
        chain: Any = MiningChain.configure(__name__="Chain", vm_configuration=rules)
        genesis = {"difficulty": 0, "gas_limit": 30_000_000, "timestamp": 1}
        self._vm = chain.from_genesis(AtomicDB(), genesis).get_vm()
        self.code = self._run(bytecode, b"").output

    def call(self, data: bytes) -> bytes:
        """Return the output of a call with ``data``; nothing where it reverts."""
        output: bytes = self._run(self.code, data).output
        return output

    def gas(self, data: bytes) -> int:
        """Return the gas of a call with ``data``, without that of a transaction."""
        used: int = self._run(self.code, data).get_gas_used()
        return used

    def _run(self, code: bytes, data: bytes) -> Any:
        return self._vm.execute_bytecode(
            origin=_SENDER,
            gas_price=0,
            gas=_GAS,
            to=_ADDRESS,
            sender=_SENDER,
            value=0,
            data=data,
            code=code,
        )
