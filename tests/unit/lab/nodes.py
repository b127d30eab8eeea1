"""A host's configuration for tests that need no pair."""

from pathlib import Path

from skytui.lab import binaries, build
from skytui.lab.node import Http, Identity, NodeConfig, Peer, Postgres, Ssh


def make_node(folder: Path, name: str = "sky-a") -> NodeConfig:
    """A host below `folder` with its folders, configuration and scripts; nothing of it runs."""
    lab = folder.resolve() / "lab"
    home = lab / "hosts" / name
    for part in ("bin", "conf", "logs", "run", "files"):
        (home / part).mkdir(parents=True)
    conf, shelf = home / "conf", lab / "pg" / name
    (shelf / "data").mkdir(parents=True)
    node = NodeConfig(
        node=Identity(name, "practice", home, lab, "practice-1"),
        http=Http("127.0.0.1", 41001, conf / "server.pem", conf / "server.key", lab / "ca.pem"),
        ssh=Ssh("127.0.0.1", 0, conf / "ssh_host_key", conf / "authorized_keys"),
        postgres=Postgres(binaries.find(), shelf / "data", shelf / "sock", 41003),
        peer=Peer("sky-b", "127.0.0.1", 41011, 41013),
    )
    (conf / "autostart").write_text("yes\n")
    node.dump()
    build.write_scripts(node)
    return node
