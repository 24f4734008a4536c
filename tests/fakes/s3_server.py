"""A real S3 server in one process: all of OpenStack Swift, with its face for S3. Run by ``buckets``, not imported.

    python -P s3_server.py FOLDER PORT

It runs in an environment of its own (requirements/buckets.txt), keeps everything in FOLDER, listens on the port of
127.0.0.1 (0: a free one), prints it once it answers, and ends with whoever started it. Its one user is KEY with the
secret SECRET.
"""

import os
import sys
from pathlib import Path

import eventlet

eventlet.monkey_patch()

from eventlet import wsgi  # noqa: E402
from swift.common import utils  # noqa: E402

HOST = "127.0.0.1"
KEY, SECRET = "keep:keeper", "kept"
PIPELINE = (
    "catch_errors memory listing_formats s3api tempauth staticweb bulk slo dlo versioned_writes copy"
    " proxy-server"
)
FILTERS = (
    "catch_errors",
    "listing_formats",
    "s3api",
    "tempauth",
    "staticweb",
    "bulk",
    "slo",
    "dlo",
    "versioned_writes",
    "copy",
)
OPTIONS = {
    "s3api": "s3_acl = no\nlocation = us-east-1\nmin_segment_size = 1\nmax_bucket_listing = 20\n",
    "tempauth": f"user_{KEY.replace(':', '_')} = {SECRET} .admin\n",
    "versioned_writes": "allow_object_versioning = false\n",
}


class Memory(dict):  # type: ignore[type-arg]
    """In the place of memcached: what its middleware asks for, with as many arguments as it likes."""

    def __bool__(self):  # type: ignore[no-untyped-def]
        return True  # it is there, though nothing is in it

    def get(self, key, *_, **__):  # type: ignore[no-untyped-def, override]
        return dict.get(self, key)

    def set(self, key, value, *_, **__):  # type: ignore[no-untyped-def]
        self[key] = value

    def delete(self, key, *_, **__):  # type: ignore[no-untyped-def]
        self.pop(key, None)

    def incr(self, key, delta=1, *_, **__):  # type: ignore[no-untyped-def]
        self[key] = dict.get(self, key, 0) + delta
        return self[key]

    def decr(self, key, delta=1, *_, **__):  # type: ignore[no-untyped-def]
        return self.incr(key, -delta)


def memory(_config, **_more):  # type: ignore[no-untyped-def]
    """The filter that gives every request the one memory."""
    shared = Memory()

    def around(app):  # type: ignore[no-untyped-def]
        def call(environ, start):  # type: ignore[no-untyped-def]
            environ["swift.cache"] = shared
            return app(environ, start)

        return call

    return around


def ring(folder: Path, kind: str, port: int) -> None:
    """Where things of a kind lie: on the one server there is."""
    from swift.common.ring import RingBuilder

    builder = RingBuilder(part_power=2, replicas=1, min_part_hours=0)
    place = {"ip": HOST, "port": port, "replication_ip": HOST, "replication_port": port}
    builder.add_dev({"id": 0, "region": 1, "zone": 1, "weight": 1.0, "device": "disk", "meta": "", **place})
    builder.rebalance()
    builder.get_ring().save(str(folder / f"{kind}.ring.gz"))


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)


def configure(folder: Path, ports: dict[str, int]) -> None:
    (folder / "disks" / "disk").mkdir(parents=True, exist_ok=True)
    write(
        folder, "swift.conf", "[swift-hash]\nswift_hash_path_prefix = keep\nswift_hash_path_suffix = keep\n"
    )
    for kind in ("account", "container", "object"):
        ring(folder, kind, ports[kind])
        pipe = f"[pipeline:main]\npipeline = {kind}-server\n[app:{kind}-server]\nuse = egg:swift#{kind}\n"
        place = f"swift_dir = {folder}\ndevices = {folder / 'disks'}\nmount_check = false\nfallocate_reserve = 0\n"
        write(folder, f"{kind}.conf", f"[DEFAULT]\n{place}bind_port = {ports[kind]}\n{pipe}")
    filters = "".join(f"[filter:{name}]\nuse = egg:swift#{name}\n{OPTIONS.get(name, '')}" for name in FILTERS)
    server = "use = egg:swift#proxy\naccount_autocreate = true\nallow_account_management = true\n"
    write(
        folder,
        "proxy.conf",
        f"[DEFAULT]\nswift_dir = {folder}\nbind_port = {ports['proxy']}\n"
        f"[pipeline:main]\npipeline = {PIPELINE}\n{filters}"
        "[filter:memory]\npaste.filter_factory = swift_memory:memory\n"
        f"[app:proxy-server]\n{server}node_timeout = 60\nconn_timeout = 10\n",
    )


def main(folder: Path, port: int) -> None:
    kinds = ("account", "container", "object", "proxy")
    sockets = {kind: eventlet.listen((HOST, port if kind == "proxy" else 0)) for kind in kinds}
    ports = {kind: socket.getsockname()[1] for kind, socket in sockets.items()}
    configure(folder, ports)
    sys.modules["swift_memory"] = sys.modules[__name__]
    utils.set_swift_dir(str(folder))
    from swift.common.storage_policy import reload_storage_policies
    from swift.common.wsgi import SwiftHttpProtocol, loadapp

    reload_storage_policies()
    quiet = Path(os.devnull).open("w")  # noqa: SIM115 - for as long as it runs
    for kind in kinds:
        app = loadapp(str(folder / f"{kind}.conf"), global_conf={"log_level": "ERROR"})
        pool = eventlet.GreenPool(200)
        eventlet.spawn(wsgi.server, sockets[kind], app, quiet, protocol=SwiftHttpProtocol, custom_pool=pool)
    print(ports["proxy"], flush=True)
    parent = os.getppid()
    while os.getppid() == parent:
        eventlet.sleep(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]))
