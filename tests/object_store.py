"""An S3 server on this machine, and places for archives to lie in."""

import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import s3fs  # type: ignore[import-untyped]  # it carries no types
from moto.server import ThreadedMotoServer

KEY, SECRET = "AKIAPLANTED0000KEYID", "planted-secret/0f3a9c+key"


@contextmanager
def s3_server() -> Iterator[dict[str, str]]:
    """A server; yields what an environment needs to use it."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
    finally:
        server.stop()


def bucket() -> s3fs.S3FileSystem:
    """What sees the server of the environment as it is now, and no other one."""
    return s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False)


def new_bucket() -> str:
    """The name of a new one on the server of the environment."""
    name = f"runs-{secrets.token_hex(4)}"
    bucket().mkdir(name)
    return name


def contents(url: str) -> dict[str, bytes]:
    """Every object under ``url``, by its name below."""
    filesystem, start = bucket(), url.removeprefix("s3://") + "/"
    return {
        key.removeprefix(start): filesystem.cat_file(key) for key in filesystem.find(start[:-1])
    }


def environment(server: dict[str, str]) -> dict[str, str]:
    """That of this process, with the server in it."""
    return os.environ | server
