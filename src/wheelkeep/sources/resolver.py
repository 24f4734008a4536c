"""Names to addresses by the system's resolver, in its own threads: slow names hold up no other source."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

from wheelkeep.sources.addresses import Address, parse
from wheelkeep.sources.wire import AbstractResolver, ResolveResult

_THREADS = 4


class Resolver(AbstractResolver):
    """One source's resolver; to be closed."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="wheelkeep-names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name; raises OSError."""
        infos = await asyncio.get_running_loop().run_in_executor(self._threads, _look_up, host, port, family)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=found,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for found, protocol, address in infos
        ]

    async def addresses(self, host: str) -> frozenset[Address]:
        """What a host's name stands for at the moment; empty where it cannot be told."""
        if (literal := parse(host)) is not None:
            return frozenset({literal})
        try:
            found = await self.resolve(host)
        except OSError:
            return frozenset()
        return frozenset(address for one in found if (address := parse(one["host"])) is not None)

    async def close(self) -> None:
        """Lets go of the threads; a look-up under way ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int, family: int) -> list[tuple[int, int, str]]:
    found: list[tuple[int, int, str]] = []
    for one, _, protocol, _, sockaddr in socket.getaddrinfo(host, port, family, socket.SOCK_STREAM):
        address = str(sockaddr[0])
        if one == socket.AF_INET6 and len(sockaddr) == 4 and sockaddr[3] and "%" not in address:
            address = f"{address}%{sockaddr[3]}"  # link-local: the interface is part of the address
        found.append((one, protocol, address))
    return found
