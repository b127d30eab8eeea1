"""Keys and certificates of one practice pair: its CA, the servers' certificates, the SSH keys."""

import datetime
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from skytui.lab import tomlfile

_LIFETIME = datetime.timedelta(days=365)
_CLOCK_SLACK = datetime.timedelta(hours=1)


@dataclass(frozen=True)
class Authority:
    """The pair's own CA. It signs the certificates of its two servers and nothing else."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def make(cls, pair: str) -> "Authority":
        """A new CA."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(f"skytui {pair} pair CA")
        certificate = (
            _builder(name, name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(key, certificate)

    def save(self, certificate: Path, key: Path) -> None:
        """Write certificate and key (mode 0600)."""
        tomlfile.write(certificate, _pem(self.certificate))
        tomlfile.write(key, _key_pem(self.key), mode=0o600)

    def issue(self, name: str, address: str, certificate: Path, key_file: Path) -> None:
        """Make a server's key (mode 0600) and a certificate for its name and address."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        made = (
            _builder(_name(name), self.certificate.subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName(_names(name, address)), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(issuer, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        tomlfile.write(certificate, _pem(made))
        tomlfile.write(key_file, _key_pem(key), mode=0o600)


def make_ssh_key(path: Path, comment: str) -> str:
    """Write a new ed25519 key in OpenSSH's format (mode 0600) and its `.pub`; the public line."""
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    tomlfile.write(path, private, mode=0o600)
    tomlfile.write(path.with_name(f"{path.name}.pub"), f"{public} {comment}\n")
    return public


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SLACK)
        .not_valid_after(now + _LIFETIME)
    )


def _names(name: str, address: str) -> Iterable[x509.GeneralName]:
    yield x509.DNSName(name)
    try:
        yield x509.IPAddress(ipaddress.ip_address(address))
    except ValueError:
        yield x509.DNSName(address)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=signs, crl_sign=signs,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
