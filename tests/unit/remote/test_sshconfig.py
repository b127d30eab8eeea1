"""What OpenSSH's files say of a host, with the pair's table over it."""

from pathlib import Path

import pytest

from skytui.config.pairs import SshConfig
from skytui.errors import RefusedError
from skytui.remote.sshconfig import Destination, Way, way_to


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USER", "ann")
    monkeypatch.setenv("LOGNAME", "ann")
    monkeypatch.setattr("skytui.config.pairs.SYSTEM_SSH_CONFIG", tmp_path / "etc_ssh_config")
    monkeypatch.setattr("skytui.remote.sshconfig.SYSTEM_SSH_CONFIG", tmp_path / "etc_ssh_config")
    (tmp_path / ".ssh").mkdir()
    return tmp_path


def write(home: Path, text: str) -> None:
    (home / ".ssh" / "config").write_text(text)
    (home / ".ssh" / "config").chmod(0o600)


def way(**table: object) -> Way:
    return way_to(Destination.of(SshConfig(**table)))  # type: ignore[arg-type]


def test_an_alias_suffices(home: Path) -> None:
    write(
        home,
        "Host night-a\n HostName 10.0.0.1\n User sky\n Port 2222\n IdentityFile ~/.ssh/night\n"
        " IdentitiesOnly yes\n UserKnownHostsFile ~/.ssh/%h %d/more\n GlobalKnownHostsFile /etc/known\n"
        " HostKeyAlias night\n CertificateFile ~/.ssh/night-signed\n ProxyJump ann@one:2200,two\n"
        " IdentityAgent ~/agent\n"
        "Host *\n User nobody\n IdentityFile %d/.ssh/everywhere\n",
    )
    found = way(host="night-a")
    assert (found.where, found.known_as, found.known_port) == ("sky@10.0.0.1:2222", "night", None)
    assert found.keys == (home / ".ssh/night", home / ".ssh/everywhere")
    assert found.known_hosts == (home / ".ssh/10.0.0.1", home / "more", Path("/etc/known"))
    assert found.certificates == (home / ".ssh/night-signed",)
    assert found.only_these_keys
    assert found.agent == str(home / "agent")
    assert [(jump.host, jump.user, jump.port) for jump in found.jumps] == [
        ("one", "ann", 2200),
        ("two", None, None),
    ]
    assert all(jump.files == Destination.of(SshConfig(host="x")).files for jump in found.jumps)


def test_the_pairs_table_wins(home: Path) -> None:
    write(
        home, "Host a\n User u\n Port 1\n IdentityFile ~/k\n UserKnownHostsFile ~/h\n CertificateFile ~/c\n"
    )
    found = way(host="a", user="sky", port=2222, key=Path("/key"), known_hosts=Path("/hosts"))
    assert found.where == "sky@a:2222"
    assert (found.keys, found.only_these_keys, found.certificates) == ((Path("/key"),), True, ())
    assert found.known_hosts == (Path("/hosts"),)


def test_without_any_file_it_is_as_with_ssh(home: Path) -> None:
    found = way(host="10.0.0.1")
    assert (found.where, found.known_as, found.known_port) == ("ann@10.0.0.1:22", "10.0.0.1", None)
    assert found.keys == tuple(home / ".ssh" / name for name in ("id_ed25519", "id_ecdsa", "id_rsa"))
    assert not found.keys_named
    assert found.known_hosts[0] == home / ".ssh" / "known_hosts"
    assert Path("/etc/ssh/ssh_known_hosts") in found.known_hosts
    assert (found.jumps, found.proxy_command, found.agent) == ((), None, None)


def test_the_systems_file_comes_after_the_persons(home: Path) -> None:
    write(home, "Host a\n User one\n")
    (home / "etc_ssh_config").write_text("Host *\n User two\n Port 2222\n")
    assert way(host="a").where == "one@a:2222"


def test_another_file_or_none(home: Path) -> None:
    write(home, "Host *\n User one\n")
    (home / "other").write_text("Host *\n User two\n")
    assert way(host="a", config=str(home / "other")).where == "two@a:22"
    assert way(host="a", config="~/other").where == "two@a:22"
    assert way(host="a", config=False).where == "ann@a:22"
    with pytest.raises(RefusedError, match=r"configuration .*/absent cannot be read"):
        way(host="a", config=str(home / "absent"))


def test_a_file_is_read_anew_each_time(home: Path) -> None:
    write(home, "Host a\n Port 1\n")
    assert way(host="a").port == 1
    write(home, "Host a\n Port 2\n")
    assert way(host="a").port == 2


@pytest.mark.parametrize(
    ("text", "jumps", "command"),
    [
        ("ProxyJump one", ["one"], None),
        ("ProxyJump none\nProxyCommand nc %h %p", [], None),
        ("ProxyCommand nc %h %p\nProxyJump one", [], "nc a 22"),
        ("ProxyCommand none\nProxyJump one", [], None),
        ("ProxyJump one,two,three", ["one", "two", "three"], None),
        ("ProxyJump ssh://ann@one:22", ["one"], None),
        ("ProxyJump [fe80::1]:2200", ["fe80::1"], None),
        ("ProxyJump gate-%h", ["gate-a"], None),
    ],
)
def test_the_way_there(home: Path, text: str, jumps: list[str], command: str | None) -> None:
    write(home, text)
    found = way(host="a")
    assert ([jump.host for jump in found.jumps], found.proxy_command) == (jumps, command)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Port many", r"config line 1: Invalid Port integer value: many"),
        ("\nIdentityFile", r"config line 2: Missing IdentityFile value"),
        ("Host 'a", r"config line 1: No closing quotation"),
        ("UserKnownHostsFile %z", r"%z is not known here"),
        ("UserKnownHostsFile ${NO_SUCH}/x", r"the variable NO_SUCH is not set"),
        ("ProxyJump a:b:c", r"ProxyJump a:b:c is no host"),
        ("Match nonsense x", r"line 1: Invalid match condition"),
        ("IdentityFile %z", r"Invalid token expansion"),
    ],
)
def test_what_makes_no_sense_is_said_with_its_place(home: Path, text: str, sentence: str) -> None:
    write(home, text)
    with pytest.raises(RefusedError, match=sentence):
        way(host="a")


def test_a_file_that_others_may_write_is_not_used(home: Path) -> None:
    write(home, "Host *\n ProxyCommand evil\n")
    (home / ".ssh" / "config").chmod(0o666)
    with pytest.raises(RefusedError, match="others may write it"):
        way(host="a")
