"""Who a server proves to be: the TLS context for its connections, and what is wrong with what it shows."""

import hashlib
import ipaddress
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from cryptography import x509

from skytui.config.pairs import ServerConfig
from skytui.errors import ConfigError
from skytui.plaintext import plain

# https://docs.openssl.org/3.5/man1/openssl-verification-options/ and openssl/x509_vfy.h
_NOT_YET, _EXPIRED, _SELF_SIGNED = 9, 10, 18
_UNKNOWN_ISSUER = {2, 19, 20, 21}
_OTHER_NAME = {62, 64}

Judge = Callable[[bytes], None]


class CertificateShownError(ssl.SSLError):
    """Raised instead of going on: the certificate was to be seen, and nothing to be sent."""

    def __init__(self, der: bytes) -> None:
        super().__init__("the certificate was looked at")
        self.der = der


class WrongPinError(ssl.SSLError):
    """The server shows another certificate than the pinned one. `found` is its fingerprint."""

    def __init__(self, found: str) -> None:
        super().__init__("another certificate than the pinned one")
        self.found = found


class _Judged(ssl.SSLObject):
    """A connection that ends where its handshake does, unless the certificate passes."""

    def do_handshake(self) -> None:
        """The handshake; nothing of ours has been sent when the judge is asked."""
        super().do_handshake()
        context = self.context
        if isinstance(context, _JudgingContext):
            context.judge(self.getpeercert(binary_form=True) or b"")


class _JudgingContext(ssl.SSLContext):
    """Leaves it to a judge of its own, called with the certificate (DER), whether to go on."""

    sslobject_class = _Judged
    judge: Judge

    @classmethod
    def of(cls, judge: Judge) -> "_JudgingContext":
        """One that asks this judge, and nobody else."""
        context = cls(ssl.PROTOCOL_TLS_CLIENT)
        _verify_nothing(context)
        context.judge = judge
        return context


def fingerprint(der: bytes) -> str:
    """The SHA-256 of a whole certificate, as `openssl x509 -noout -fingerprint -sha256` computes it."""
    return f"sha256:{hashlib.sha256(der).hexdigest()}"


def context_for(server: ServerConfig) -> ssl.SSLContext:
    """What the connections to this server are made with.

    Raises ConfigError when a file that it names cannot be used.
    """
    try:
        context = _trusting(server)
    except OSError as error:
        raise ConfigError(
            f"{server.name}: the CA file {server.ca_file} cannot be used: {_words(error)}."
        ) from error
    if server.cert is not None and server.key is not None:
        try:
            context.load_cert_chain(server.cert, server.key, password=_no_password)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"{server.name}: the certificate {server.cert} with the key {server.key} cannot be used: "
                f"{_words(error)}."
            ) from error
    return context


def looking_context() -> ssl.SSLContext:
    """One with which every connection ends in a CertificateShownError, before anything is sent."""

    def show(der: bytes) -> None:
        raise CertificateShownError(der)

    return _JudgingContext.of(show)


def _trusting(server: ServerConfig) -> ssl.SSLContext:
    if server.pin:
        pinned = _bare(server.pin)

        def compare(der: bytes) -> None:
            if fingerprint(der) != pinned:
                raise WrongPinError(fingerprint(der))

        return _JudgingContext.of(compare)
    context = ssl.create_default_context(cafile=str(server.ca_file) if server.ca_file else None)
    if server.unverified:
        _verify_nothing(context)
    return context


def _verify_nothing(context: ssl.SSLContext) -> None:
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE


def _bare(pin: str) -> str:
    """A fingerprint as we write it, out of one that openssl wrote: with colons, in capitals."""
    kind, _, digits = pin.partition(":")
    return f"{kind}:{digits.replace(':', '').lower()}"


def _no_password() -> str:
    """Without it OpenSSL would ask on the terminal, and there is none."""
    raise ValueError("the key is encrypted; skytui needs it without a passphrase, readable by its owner only")


def why_wrong_pin(server: ServerConfig, error: WrongPinError) -> str:
    """That the certificate is another, with both fingerprints."""
    return (
        f"shows another certificate than the pinned one, and nothing was sent: it shows {error.found}, "
        f"pinned is {_bare(server.pin)}. If it was renewed, look at the new one's fingerprint on the server "
        "itself and write that as `pin`"
    )


def why_alerted(server: ServerConfig, error: ssl.SSLError) -> str:
    """What the server does not like about us, where it said so in TLS; empty where it is something else."""
    reason = (error.reason or "").upper()
    if "CERTIFICATE_REQUIRED" in reason or ("HANDSHAKE_FAILURE" in reason and server.cert is None):
        asks = "wants" if "CERTIFICATE_REQUIRED" in reason else "breaks off as those do that want"
        return (
            f"{asks} a certificate of ours: give `cert` and `key`"
            if server.cert is None
            else (f"does not take our certificate {server.cert}")
        )
    if "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason) and server.cert is not None:
        said = reason.split("ALERT_", 1)[-1].replace("_", " ").lower()
        return f"does not take our certificate {server.cert}: {said}"
    return ""


def why_not_trusted(
    server: ServerConfig, error: ssl.SSLCertVerificationError, der: bytes, now: datetime
) -> str:
    """What is wrong with a server's certificate and what to do; `der` is empty when it could not be seen."""
    try:
        shown = x509.load_der_x509_certificate(der)
        return _why(server, error.verify_code, shown, fingerprint(der), now) or _plain_why(error)
    except ValueError:  # nothing seen, or nothing that can be read
        return _plain_why(error)


def _plain_why(error: ssl.SSLCertVerificationError) -> str:
    return f"shows a certificate that is not trusted: {plain(error.verify_message)}"


def _why(server: ServerConfig, code: int, shown: x509.Certificate, found: str, now: datetime) -> str:
    ends, begins = shown.not_valid_after_utc, shown.not_valid_before_utc
    issuer = plain(shown.issuer.rfc4514_string()) or "nobody named"
    here = f"here it is {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if code == _EXPIRED and now < ends:
        return f"shows a certificate whose issuer's own ({issuer}) has ended; renew that one"
    if code == _EXPIRED:
        return f"shows a certificate that ended on {ends:%Y-%m-%d %H:%M} UTC ({here}); renew it on the server"
    if code == _NOT_YET:
        return (
            f"shows a certificate that counts only from {begins:%Y-%m-%d %H:%M} UTC on ({here}); "
            "look at the clocks of both hosts"
        )
    if code in _OTHER_NAME:
        host = urlsplit(server.url).hostname or server.url
        return (
            f"shows a certificate for {', '.join(_names(shown)) or 'no name at all'}, not for {host}; write "
            "one of its names into `url`, or have it issued for this one"
        )
    if code == _SELF_SIGNED:
        return (
            f"shows a certificate that nobody else vouches for, {found}; compare this fingerprint with the "
            "one on the server itself and write it as `pin`, or give its file as `ca_file`"
        )
    if code in _UNKNOWN_ISSUER:
        by = f"{server.ca_file}" if server.ca_file else "the system's trust store"
        return (
            f"shows a certificate issued by {issuer}, which {by} does not know; give that authority's "
            f"certificate as `ca_file`"
        )
    return ""


def _names(shown: x509.Certificate) -> list[str]:
    try:
        names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses: list[
        ipaddress.IPv4Address | ipaddress.IPv6Address | ipaddress.IPv4Network | ipaddress.IPv6Network
    ]
    addresses = list(names.get_values_for_type(x509.IPAddress))
    return [plain(name) for name in (*names.get_values_for_type(x509.DNSName), *map(str, addresses))]


def _words(error: Exception) -> str:
    """What is wrong with a file, in the system's or OpenSSL's words."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).replace("_", " ").lower()
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
