"""Whom we talk to: what is trusted, what is refused, and the sentence that says why and what to do."""

import contextlib
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from skytui.config.pairs import ServerConfig
from skytui.config.secrets import SecretStore
from skytui.config.web import accepted_words
from skytui.drivers.connection import Connection, Session
from skytui.drivers.http import AnswerLostError, NotSentError, Web
from skytui.drivers.trust import why_alerted
from skytui.errors import ConfigError
from tests.unit.drivers.tls import DAY, NOW, Certificate, Server, answer, certificate, https

SECONDS = 60.0


@contextmanager
def turning_away(shown: Certificate, clients_by: Certificate, tls: ssl.TLSVersion) -> Iterator[Server]:
    """A server that wants a certificate of `clients_by`, and tells whoever has none by a TLS alert.

    OpenSSL's own, in a thread: asyncio's hangs up without the alert.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown.cert, shown.key)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(clients_by.cert)
    context.maximum_version = tls
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):  # the listener was closed
                while True:
                    connection, _ = listener.accept()
                    connection.settimeout(SECONDS)
                    secured = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
                    with contextlib.suppress(OSError):
                        secured.do_handshake()
                    with socket.socket(fileno=secured.detach()) as bare, contextlib.suppress(OSError):
                        bare.shutdown(socket.SHUT_WR)
                        while bare.recv(65536):  # what is left unread would turn the alert into a reset
                            pass

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield Server(listener.getsockname()[1])
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(SECONDS)


@pytest.fixture
def authority(tmp_path: Path) -> Certificate:
    return certificate(tmp_path, "authority")


def config(server: Server, **keys: object) -> ServerConfig:
    given = {"url": server.url, **keys}
    return ServerConfig(name="sky-a", address="127.0.0.1", listen_port=1, **given)  # type: ignore[arg-type]


async def status(server: Server, **keys: object) -> int:
    web = Web(config(server, **keys), None, lambda hole: hole)
    try:
        return (await web.get("/", SECONDS)).status
    finally:
        await web.close()


async def why_not(server: Server, **keys: object) -> str:
    """Why there is no connection; the server was sent nothing."""
    with pytest.raises(NotSentError) as refused:
        await status(server, **keys)
    assert server.requests == []
    says = str(refused.value)
    assert says.startswith(f"sky-a: {keys.get('url', server.url)} ")
    return says.split(" ", 2)[2]


class TestTrusted:
    async def test_an_authority_in_a_file(self, authority: Certificate, tmp_path: Path) -> None:
        async with https(certificate(tmp_path, "leaf", by=authority)) as server:
            assert await status(server, ca_file=authority.cert) == 200

    async def test_an_authority_of_the_system(
        self, authority: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.cert))
        async with https(certificate(tmp_path, "leaf", by=authority)) as server:
            assert await status(server) == 200

    async def test_a_pinned_certificate_of_no_authority_for_another_name(self, tmp_path: Path) -> None:
        alone = certificate(tmp_path, "alone", names=("elsewhere.example",))
        digits = alone.fingerprint.removeprefix("sha256:").upper()
        as_openssl_prints_it = ":".join(digits[i : i + 2] for i in range(0, 64, 2))
        async with https(alone) as server:
            assert await status(server, pin=alone.fingerprint) == 200
            assert await status(server, pin=f"sha256:{as_openssl_prints_it}") == 200

    async def test_anything_with_the_sentence(self, tmp_path: Path) -> None:
        old = certificate(tmp_path, "old", names=("elsewhere.example",), ends=NOW - DAY / 2)
        async with https(old) as server:
            assert await status(server, insecure=accepted_words("sky-a")) == 200


class TestRefused:
    async def test_an_authority_the_system_does_not_know(
        self, authority: Certificate, tmp_path: Path
    ) -> None:
        async with https(certificate(tmp_path, "leaf", by=authority)) as server:
            assert await why_not(server) == (
                "shows a certificate issued by CN=authority, which the system's trust store does not know; "
                "give that authority's certificate as `ca_file`."
            )

    async def test_an_authority_the_file_does_not_have(self, authority: Certificate, tmp_path: Path) -> None:
        other = certificate(tmp_path, "other")
        async with https(certificate(tmp_path, "leaf", by=authority)) as server:
            says = await why_not(server, ca_file=other.cert)
            assert f"issued by CN=authority, which {other.cert} does not know" in says

    async def test_one_that_has_ended(self, authority: Certificate, tmp_path: Path) -> None:
        ended = NOW - DAY / 2
        leaf = certificate(tmp_path, "leaf", by=authority, begins=NOW - 2 * DAY, ends=ended)
        async with https(leaf) as server:
            says = await why_not(server, ca_file=authority.cert)
            assert says.startswith(
                f"shows a certificate that ended on {ended:%Y-%m-%d %H:%M} UTC (here it is 20"
            )
            assert says.endswith(" UTC); renew it on the server.")

    async def test_one_that_does_not_count_yet(self, authority: Certificate, tmp_path: Path) -> None:
        begins = NOW + DAY
        leaf = certificate(tmp_path, "leaf", by=authority, begins=begins, ends=NOW + 2 * DAY)
        async with https(leaf) as server:
            says = await why_not(server, ca_file=authority.cert)
            assert says.startswith(
                f"shows a certificate that counts only from {begins:%Y-%m-%d %H:%M} UTC on"
            )
            assert says.endswith("look at the clocks of both hosts.")

    async def test_one_whose_authority_has_ended(self, tmp_path: Path) -> None:
        old = certificate(tmp_path, "old", begins=NOW - 2 * DAY, ends=NOW - DAY / 2)
        async with https(certificate(tmp_path, "leaf", by=old)) as server:
            says = await why_not(server, ca_file=old.cert)
            assert says == "shows a certificate whose issuer's own (CN=old) has ended; renew that one."

    async def test_one_for_other_names(self, authority: Certificate, tmp_path: Path) -> None:
        leaf = certificate(tmp_path, "leaf", by=authority, names=("sky-a.example", "10.0.0.11"))
        async with https(leaf) as server:
            assert await why_not(server, ca_file=authority.cert) == (
                "shows a certificate for sky-a.example, 10.0.0.11, not for 127.0.0.1; write one of its names "
                "into `url`, or have it issued for this one."
            )

    async def test_one_that_vouches_for_itself(self, tmp_path: Path) -> None:
        alone = certificate(tmp_path, "alone")
        async with https(alone) as server:
            says = await why_not(server)
            assert f"nobody else vouches for, {alone.fingerprint}; compare" in says

    async def test_another_one_than_the_pinned_even_of_a_trusted_authority(
        self, authority: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.cert))
        before = certificate(tmp_path, "before", by=authority)
        now = certificate(tmp_path, "now", by=authority)
        async with https(now) as server:
            says = await why_not(server, pin=before.fingerprint)
            assert f"it shows {now.fingerprint}, pinned is {before.fingerprint}." in says
            assert "on the server itself" in says

    async def test_the_certificate_is_looked_at_once_for_many_requests(self, tmp_path: Path) -> None:
        async with https(certificate(tmp_path, "alone")) as server:
            web = Web(config(server), None, lambda hole: hole)
            try:
                reasons = set()
                for _ in range(5):
                    with pytest.raises(NotSentError) as refused:
                        await web.get("/", SECONDS)
                    reasons.add(str(refused.value))
            finally:
                await web.close()
            assert len(reasons) == 1
            assert server.requests == []


class TestOurCertificate:
    @pytest.mark.parametrize("tls", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
    async def test_is_shown_to_a_server_that_wants_it(
        self, authority: Certificate, tmp_path: Path, tls: ssl.TLSVersion
    ) -> None:
        leaf, own = certificate(tmp_path, "leaf", by=authority), certificate(tmp_path, "own", by=authority)
        async with https(leaf, clients_by=authority, tls=tls) as server:
            assert await status(server, ca_file=authority.cert, cert=own.cert, key=own.key) == 200

    @pytest.mark.parametrize("tls", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
    async def test_is_asked_for_where_it_is_missing(
        self, authority: Certificate, tmp_path: Path, tls: ssl.TLSVersion
    ) -> None:
        leaf = certificate(tmp_path, "leaf", by=authority)
        with turning_away(leaf, authority, tls) as server:
            says = await why_not(server, ca_file=authority.cert)
            assert says.endswith(" a certificate of ours: give `cert` and `key`.")

    @pytest.mark.parametrize("tls", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
    async def test_of_another_authority_is_not_taken(
        self, authority: Certificate, tmp_path: Path, tls: ssl.TLSVersion
    ) -> None:
        leaf, own = certificate(tmp_path, "leaf", by=authority), certificate(tmp_path, "own")
        with turning_away(leaf, authority, tls) as server:
            says = await why_not(server, ca_file=authority.cert, cert=own.cert, key=own.key)
            assert says == f"does not take our certificate {own.cert}: unknown ca."

    async def test_a_server_that_just_hangs_up_is_no_surprise(
        self, authority: Certificate, tmp_path: Path
    ) -> None:
        leaf = certificate(tmp_path, "leaf", by=authority)
        async with https(leaf, clients_by=authority) as server:  # asyncio sends no alert
            with pytest.raises((NotSentError, AnswerLostError)):
                await status(server, ca_file=authority.cert)
            assert server.requests == []

    def test_what_a_server_says_about_it(self, tmp_path: Path) -> None:
        bare = ServerConfig(name="sky-a", address="127.0.0.1", listen_port=1)
        ours = ServerConfig(
            name="sky-a", address="127.0.0.1", listen_port=1, cert=tmp_path / "c", key=tmp_path / "k"
        )

        def says(server: ServerConfig, reason: str) -> str:
            error = ssl.SSLError(1, reason)
            error.reason = reason
            return why_alerted(server, error)

        wants = "wants a certificate of ours: give `cert` and `key`"
        assert says(bare, "TLSV13_ALERT_CERTIFICATE_REQUIRED") == wants
        refused = f"does not take our certificate {tmp_path / 'c'}"
        assert says(ours, "TLSV1_ALERT_UNKNOWN_CA") == f"{refused}: unknown ca"
        assert says(ours, "SSLV3_ALERT_CERTIFICATE_EXPIRED") == f"{refused}: certificate expired"
        assert says(bare, "WRONG_VERSION_NUMBER") == ""

    async def test_that_cannot_be_used_is_said_before_anything_starts(
        self, authority: Certificate, tmp_path: Path
    ) -> None:
        own, other = certificate(tmp_path, "own", by=authority), certificate(tmp_path, "other")

        def fault(**keys: object) -> str:
            with pytest.raises(ConfigError) as wrong:
                Web(config(Server(1), **keys), None, lambda hole: hole)
            return str(wrong.value)

        assert "the key is encrypted" in fault(cert=own.cert, key=own.encrypted_key())
        assert "key values mismatch" in fault(cert=own.cert, key=other.key)
        assert "No such file" in fault(cert=own.cert, key=tmp_path / "nothing")
        assert "No such file" in fault(ca_file=tmp_path / "nothing")
        assert "the CA file" in fault(ca_file=own.key)


@pytest.mark.skipif(sys.platform != "linux", reason="its options have these names on Linux")
async def test_a_host_that_is_gone_is_noticed_while_an_answer_is_waited_for(tmp_path: Path) -> None:
    alone = certificate(tmp_path, "alone")
    async with https(alone) as server:
        connection = Connection(config(server, pin=alone.fingerprint), SecretStore({}))
        response = await connection.request("GET", "/", Session(), deadline=SECONDS)
        stream = response.extensions["network_stream"].get_extra_info("socket")
        assert stream.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 10_000
        idle = stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
        pause = stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
        assert idle + pause * stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) <= 10
        await connection.close()


async def test_a_redirect_to_the_other_server_is_named_and_not_followed(
    authority: Certificate, tmp_path: Path
) -> None:
    leaf = certificate(tmp_path, "leaf", by=authority)
    async with https(leaf) as master:
        away = answer("307 Temporary Redirect", b"", f"Location: {master.url}/who?ticket=4711")
        async with https(leaf, lambda _: away) as standby:
            web = Web(config(standby, ca_file=authority.cert), None, lambda hole: hole)
            reply = await web.get("/who", SECONDS)
            await web.close()
            assert (reply.status, reply.redirect) == (307, f"{master.url}/who")
            assert reply.message == f"redirects to {master.url}/who: not followed"
            assert master.requests == []
