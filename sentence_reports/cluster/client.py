"""How a run finds the Dask scheduler at an address, or says what is there instead."""

import logging
import socket
import ssl
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sentence_reports.errors import UsageError

if TYPE_CHECKING:
    from distributed import Client

CONNECT = 2.0  # seconds for what listens to answer, and to say what it is
GREET = 20.0  # seconds for a scheduler, which may be busy, to greet a client
GREETING = 100_000  # bytes, more than a scheduler's has
FILES = (
    "DASK_DISTRIBUTED__COMM__TLS__CA_FILE, DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT and "
    "DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY"
)


def connect(address: str) -> "Client":
    """Return a client of the Dask scheduler at an address such as tcp://host:8786; tls:// takes Dask's certificates.

    Raises UsageError if Dask is not installed, if `address` is invalid, or if no scheduler answers there.
    """
    host, port, secure = parsed(address)
    try:
        from distributed import Client
        from distributed.security import Security
    except ImportError as error:
        raise UsageError(
            "--scheduler needs Dask's package distributed. Install it:  pip install 'sentence-reports[dask]'"
        ) from error
    silence()
    try:
        context = Security().get_connection_args("client").get("ssl_context")
    except OSError as error:
        raise UsageError(
            f"a certificate cannot be used: {said(error)}. Check the files of {FILES}"
        ) from error
    if secure and context is None:
        raise UsageError(f"{address} needs certificates. Name their files in the variables {FILES}")
    try:
        with socket.create_connection((host, port), CONNECT) as plain:
            plain.settimeout(CONNECT)
            talk = context.wrap_socket(plain, server_hostname=host) if secure else plain
            with talk.makefile("rb") as stream:  # a scheduler speaks first, and says how many bytes follow
                if not 0 < int.from_bytes(stream.read(8), sys.byteorder) <= GREETING:
                    raise OSError("something else listens there")
    except ConnectionRefusedError as error:
        raise UsageError(
            f"nothing listens at {address}. Start a scheduler there:  dask scheduler --port {port}"
        ) from error
    except OSError as error:
        raise UsageError(
            f"no Dask scheduler answers at {address}: {said(error)}. Check the address, tcp:// or tls://, and the "
            "certificates"
        ) from error
    try:
        return Client(address, timeout=GREET, set_as_default=False)
    except Exception as error:
        reason = str(error) or f"silent for {GREET:g} s after its greeting"
        raise UsageError(f"no Dask scheduler answers at {address}: {reason}") from error


def said(error: OSError) -> str:
    """Return in words what went wrong, without the code and the line of C that OpenSSL adds."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted here ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return (error.reason or "not a certificate and its key").replace("_", " ").lower()
    return error.strerror or str(error)


def parsed(address: str) -> tuple[str, int, bool]:
    """Return host, port, and whether it is secure, of a scheduler's address. Raises UsageError if it is invalid."""
    try:
        parts = urlsplit(address)
        if parts.scheme in ("tcp", "tls") and parts.hostname and parts.port:
            return parts.hostname, parts.port, parts.scheme == "tls"
    except ValueError:  # of the port
        pass
    raise UsageError(f"{address!r} is not the address of a scheduler. Expected one like tcp://host:8786")


def silence() -> None:
    """Have Dask write to our log only: what matters to a run is said in its own words."""
    for name in ("distributed", "distributed.client", "distributed.gc", "tornado", "tornado.application"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [logging.NullHandler()], True
