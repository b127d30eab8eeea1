from pathlib import Path

import pytest

from skytui.remote.remarks import Remark, Weight, load_included, remarks

FILE = Path("/home/ann/.ssh/config")


def said(text: str, *hosts: str, weight: Weight = Weight.OTHERWISE) -> list[str]:
    return [one.says for one in remarks(FILE, text, hosts or ("sky-a",)) if one.weight == weight]


def test_what_is_honoured_is_not_remarked_on() -> None:
    text = """
    # all of it counts
    Host sky-a !sky-b
      HostName 10.0.0.1
      User sky
      Port = 2222
      IdentityFile ~/.ssh/one  # with a comment
      IdentitiesOnly yes
      ProxyJump a,b
      UserKnownHostsFile ~/.ssh/sky_hosts
      HostKeyAlias sky
      CertificateFile ~/.ssh/one-cert.pub
      StrictHostKeyChecking yes
      GSSAPIAuthentication no
    """
    assert remarks(FILE, text, ["sky-a"]) == ()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            "StrictHostKeyChecking no",
            "StrictHostKeyChecking no is not followed: a host whose key is not known, or has changed, is"
            " always refused.",
        ),
        (
            "stricthostkeychecking=accept-new",
            "stricthostkeychecking accept-new is not followed: a host whose",
        ),
        ("StrictHostKeyChecking  =  off", "StrictHostKeyChecking off is not followed"),
        ("RevokedHostKeys /etc/revoked", "write revoked keys as @revoked"),
        ("PreferredAuthentications password", "a public key is offered, then questions"),
        ("KnownHostsCommand /bin/x %H", "looked up in files of known hosts only"),
        ("Match final host sky-a", "Match final host sky-a is followed in part"),
    ],
)
def test_what_would_mean_something_else_is_said_with_its_line(line: str, sentence: str) -> None:
    (says,) = said(f"\n{line}\n")
    assert says.startswith(f"{FILE} line 2: ")
    assert sentence in says


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            "ControlMaster auto",
            "ControlMaster has no effect: there is one connection for each host",
        ),
        ("ForwardAgent yes", "ForwardAgent has no effect: the agent is not forwarded."),
        ("ServerAliveInterval 30", "ServerAliveInterval has no effect: skytui has its own."),
        ("Frobnicate \x1b[2J yes", "Frobnicate has no effect: skytui does not know it."),
    ],
)
def test_what_has_no_effect_is_said_too(line: str, sentence: str) -> None:
    (says,) = said(line, weight=Weight.NO_EFFECT)
    assert says.startswith(f"{FILE} line 1: {sentence}")


def test_blocks_for_other_hosts_do_not_count() -> None:
    text = "Host sky-b web*\n StrictHostKeyChecking no\nHost * !sky-a\n CheckHostIP yes\n"
    text += "Host sky-?\n VerifyHostKeyDNS yes"
    assert [says.split(": ")[1] for says in said(text)] == ["VerifyHostKeyDNS yes is not followed"]
    assert len(said(text, "sky-a", "web1")) == 3


def test_a_directive_is_said_once() -> None:
    assert len(said("SendEnv A\nSendEnv B", weight=Weight.NO_EFFECT)) == 1


def test_what_is_included_counts() -> None:
    files = {"conf.d/*": [(Path("/i/one"), "StrictHostKeyChecking no\nInclude conf.d/*")]}
    found = remarks(FILE, "Include conf.d/*", ["sky-a"], lambda pattern: files.get(pattern, []))
    assert found == (
        Remark(
            Weight.OTHERWISE,
            "/i/one line 1: StrictHostKeyChecking no is not followed: a host whose key is not known, or has"
            " changed, is always refused.",
        ),
    )


def test_included_files_are_found(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).write_text(f"Host {name}")
    assert load_included(f"{tmp_path}/*") == [(tmp_path / name, f"Host {name}") for name in ("a", "b")]
    assert load_included(f"{tmp_path}/none") == []


@pytest.mark.parametrize("line", ["Host", "=", "Include", '"', "Port '", "\tHost\tx", "Match"])
def test_nonsense_is_left_to_whoever_reads_the_file(line: str) -> None:
    remarks(FILE, line, ["sky-a"])
