"""Links between nodes that can be cut without a word: each node in a network namespace of its own,
all on one bridge, where the machine's owner (root) runs this."""

import os
import shutil
import subprocess

SUBNET = "10.231.77"
BRIDGE = "moldau-bench"


def possible():
    return os.geteuid() == 0 and all(shutil.which(tool) for tool in ("ip", "iptables"))


def _run(*command, must=True):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if must and done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")


class Network:
    """Packets between two nodes vanish while they are cut; both still see the third, and clients,
    which are outside, see all."""

    def __init__(self, which):
        self.which = which

    def __enter__(self):
        self._remove()  # what one that was killed has left
        _run("ip", "link", "add", BRIDGE, "type", "bridge")
        _run("ip", "address", "add", f"{SUBNET}.254/24", "dev", BRIDGE)
        _run("ip", "link", "set", BRIDGE, "up")
        for node in self.which:
            name, end = self._name(node), f"{BRIDGE[:10]}-{node}"
            _run("ip", "netns", "add", name)
            _run("ip", "link", "add", end, "type", "veth", "peer", "name", "eth0", "netns", name)
            _run("ip", "link", "set", end, "master", BRIDGE, "up")
            _run("ip", "-n", name, "address", "add", f"{self.address(node)}/24", "dev", "eth0")
            _run("ip", "-n", name, "link", "set", "eth0", "up")
            _run("ip", "-n", name, "link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        self._remove()

    def _remove(self):
        for node in self.which:
            _run("ip", "netns", "delete", self._name(node), must=False)
        _run("ip", "link", "delete", BRIDGE, must=False)

    @staticmethod
    def _name(node):
        return f"{BRIDGE}-{node}"

    @staticmethod
    def address(node):
        return f"{SUBNET}.{node + 1}"

    def inside(self, node):
        """What a node's command begins with."""
        return ["ip", "netns", "exec", self._name(node)]

    def cut(self, one, other):
        for at, away in ((one, other), (other, one)):
            for chain, side in (("INPUT", "-s"), ("OUTPUT", "-d")):
                _run(*self.inside(at), "iptables", "-A", chain, side, self.address(away), "-j",
                     "DROP")

    def heal(self):
        for node in self.which:
            _run(*self.inside(node), "iptables", "-F")
