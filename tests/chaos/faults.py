"""What is done to the cluster. Each fault proves that it had an effect, or the run is invalid."""

import contextlib
import os
import pathlib
import random
import shutil
import signal
import subprocess
import time

import power_loss
from lab import ALL, TOPICS, Broken, Invalid, wait_for

EFFECT_SECONDS = 30  # within which a fault must be seen


def others(broker):
    return [b for b in ALL if b != broker]


class Fault:
    """Draws all that it does when it is made, so that a seed repeats it."""

    weight = 1
    needs_network = False
    needs_disk = False
    may_be_hurried = True  # the next fault may come before the cluster has recovered
    needs_others = False  # replicas

    def __init__(self, lab, chance):
        self.lab = lab
        self.victim = chance.choice(ALL)
        self.down_seconds = chance.uniform(0, 4)
        self.chance_seed = chance.getrandbits(32)
        self.took = None  # until the effect was seen

    def __str__(self):
        return f"{type(self).__name__} of broker {self.victim}"

    def run(self):
        raise NotImplementedError

    def heal(self):
        """Whatever came of run(): the cluster can recover afterwards."""

    def seen(self, condition, what, seconds=EFFECT_SECONDS):
        """Waits for the effect."""
        _, took = wait_for(condition, seconds, Invalid(f"{self}: {what} was not seen"))
        self.took = took if self.took is None else self.took

    def out_of_service(self):
        """The others have noticed: the broker is fenced, and leads nothing that has another
        replica."""
        witness = others(self.victim)[0]
        if self.lab.state(self.victim, witness) in (None, "active"):
            return False
        return self.lab.options.replicas == 1 or not self.lab.leads(self.victim, witness)


class Kill(Fault):
    """kill -9, and a new start."""
    weight = 4

    def run(self):
        self.lab.local("kill", self.victim)
        self.seen(self.out_of_service, "that it is gone")
        time.sleep(self.down_seconds)

    def heal(self):
        if self.lab.cluster.broker(self.victim)["state"] == "stopped":
            self.lab.start_broker(self.victim)


class KillController(Kill):
    """kill -9 of the active controller."""
    weight = 2

    def run(self):
        self.victim = self.lab.controller() or 0
        super().run()


class Terminate(Kill):
    """SIGTERM: it hands over what it leads, and ends in order."""
    weight = 2

    def run(self):
        pid = self.lab.pid(self.victim)
        os.kill(pid, signal.SIGTERM)
        self.seen(lambda: self.lab.cluster.broker(self.victim)["state"] == "stopped",
                  "that it stopped", 60)
        self.seen(self.out_of_service, "that it is out of service")
        time.sleep(self.down_seconds)


class RollingRestart(Fault):
    """One after the other, each when all is well again."""

    def __str__(self):
        return "RollingRestart"

    def run(self):
        for broker in ALL:
            before = self.lab.pid(broker)
            self.lab.local("restart", broker, "--timeout", 100,
                           env=self.lab.environment_of_broker(broker))
            self.seen(lambda b=broker, p=before: self.lab.pid(b) not in (None, p),
                      f"another process of broker {broker}")
            self.lab.settle()


class Pause(Fault):
    """SIGSTOP until the others have noticed, and some time more."""
    weight = 3

    def run(self):
        self.lab.local("pause", self.victim)
        self.seen(self.out_of_service, "that it hangs")
        time.sleep(self.down_seconds)

    def heal(self):
        if self.lab.cluster.broker(self.victim)["state"] == "paused":
            self.lab.local("resume", self.victim)


class PauseController(Pause):
    """SIGSTOP of the active controller."""

    def run(self):
        self.victim = self.lab.controller() or 0
        super().run()


class ShortPause(Pause):
    """SIGSTOP for less than a session: nobody may be told anything wrong because of it."""

    def run(self):
        self.lab.local("pause", self.victim)
        began = time.monotonic()
        seconds = 0.3 + self.down_seconds / 2
        answer = self.lab.cluster.run("broker", "list", "--timeout", seconds, to=self.victim)
        if answer.code == 0:
            raise Invalid(f"{self}: it answers while it is stopped")
        self.took = time.monotonic() - began


class Cut(Fault):
    """Two brokers don't reach each other."""
    weight = 2

    def __init__(self, lab, chance):
        super().__init__(lab, chance)
        self.other = chance.choice(others(self.victim))

    def __str__(self):
        return f"Cut between brokers {self.victim} and {self.other}"

    def apart(self):
        """One is out of service, or out of the in-sync replicas of a partition of the other's."""
        for witness in ALL:
            for broker in (self.victim, self.other):
                if self.lab.state(broker, witness) not in (None, "active"):
                    return True
            for p in self.lab.partitions(witness).values():
                if {self.victim, self.other} <= set(p["replicas"]) and \
                        not {self.victim, self.other} <= set(p["isr"]):
                    return True
        return False

    def run(self):
        if self.lab.options.replicas == 1:  # only who depends on the controller is seen to be cut
            self.victim = self.lab.controller() or 0
            if self.other == self.victim:
                self.other = others(self.victim)[0]
        self.lab.local("cut", self.victim, self.other)
        # Where neither is the controller, only the lag of a replica tells: 30 s by default.
        self.seen(self.apart, "that they are apart", 60)
        time.sleep(self.down_seconds)

    def heal(self):
        self.lab.local("heal")


class Reassign(Fault):
    """A partition gives up a replica and gets it back, with another leader, while it is in use."""
    weight = 2

    def __init__(self, lab, chance):
        super().__init__(lab, chance)
        self.partition = chance.choice([(t, p) for t, count in TOPICS.items()
                                        for p in range(count)])
        self.order = chance.sample(ALL, len(ALL))

    def __str__(self):
        return f"Reassign of {self.partition[0]}/{self.partition[1]} to {self.order}"

    def move(self, replicas):
        topic, number = self.partition
        self.lab.admin("partition", "move", f"{topic}:{number}", "--to",
                       ",".join(map(str, replicas)))
        self.seen(lambda: set(self.told().get("replicas", [])) == set(replicas)
                  == set(self.told().get("isr", [])), f"the move to {replicas}", 60)

    def told(self):
        return self.lab.partitions().get(self.partition, {})

    def run(self):
        if self.lab.options.replicas == 3:
            self.move(self.order[:2])
            time.sleep(self.down_seconds)
        self.move(self.order[:self.lab.options.replicas])
        # The first may be the leader already, which is "not needed".
        self.lab.admin("partition", "elect", self.partition[0], "-p", self.partition[1])
        self.seen(lambda: self.told().get("leader") == self.order[0], "its new leader")


class Deaf(Fault):
    """What comes for one broker's controller listener is dropped: it reaches the others, and they
    don't reach it. The other half of an asymmetric cut is its answers."""
    needs_network = True
    match = ("INPUT", "--dport")

    def rule(self, verb):
        chain, port = self.match
        return subprocess.run(
            ["iptables", verb, chain, "-i" if chain == "INPUT" else "-o", "lo", "-p", "tcp", port,
             str(self.lab.cluster.port + self.victim + 10_000), "-j", "DROP"],
            check=False, capture_output=True).returncode == 0

    def dropped(self):
        out = subprocess.run(["iptables", "-nvxL", self.match[0]], check=True, capture_output=True,
                             text=True).stdout
        return any(int(line.split()[0]) > 0 for line in out.splitlines() if " DROP " in line)

    def run(self):
        if not self.rule("-A"):
            raise Invalid(f"{self}: iptables refuses the rule")
        self.seen(self.dropped, "that packets are dropped")
        time.sleep(3 + self.down_seconds)

    def heal(self):
        while self.rule("-D"):
            pass


class Mute(Deaf):
    """What one broker answers on its controller listener is dropped."""
    match = ("OUTPUT", "--sport")


class SlowSync(Fault):
    """Each sync takes long."""

    def faults_so_far(self):
        return power_loss.Notes(self.lab.notes[self.victim]).faults

    def run(self):
        before = self.faults_so_far()
        milliseconds = int(200 + 500 * self.down_seconds)
        self.lab.faults_of_disk[self.victim].write_text(f"slow {milliseconds}", encoding="ascii")
        self.seen(lambda: self.faults_so_far() > before, "a slow sync")
        time.sleep(3 + self.down_seconds)

    def heal(self):
        self.lab.faults_of_disk[self.victim].unlink(missing_ok=True)


class FailingSync(SlowSync):
    """Syncs fail: the directory is not used any further, until a new start."""

    def run(self):
        before = self.faults_so_far()
        self.lab.faults_of_disk[self.victim].write_text("fail", encoding="ascii")
        self.seen(lambda: self.faults_so_far() > before, "a failed sync")
        time.sleep(self.down_seconds)

    def heal(self):
        super().heal()
        if self.lab.cluster.broker(self.victim)["state"] != "stopped":
            self.lab.local("kill", self.victim)
        self.lab.start_broker(self.victim)


class FullDisk(Fault):
    """No space is left where a broker's data lies, which is a file system of its own."""
    needs_disk = True

    def ballast(self):
        return self.lab.data(self.victim) / "ballast"

    def free(self):
        return shutil.disk_usage(self.lab.data(self.victim)).free

    def run(self):
        with contextlib.suppress(OSError), open(self.ballast(), "wb") as file:
            while True:
                file.write(bytes(1 << 16))
        self.seen(lambda: self.free() < 1 << 20, "that it is full")
        time.sleep(3 + self.down_seconds)

    def heal(self):
        self.ballast().unlink(missing_ok=True)
        if self.lab.cluster.broker(self.victim)["state"] == "stopped":
            self.lab.start_broker(self.victim)


class PowerLoss(Kill):
    """kill -9, and what was not synced is gone; often while syncs take long, so that it is much."""
    weight = 2

    def __init__(self, lab, chance):
        super().__init__(lab, chance)
        self.slow = chance.random() < 0.5 or lab.options.acks != "all"

    def slow_down(self, brokers):
        if not self.slow:
            return
        for broker in brokers:
            self.lab.faults_of_disk[broker].write_text("slow 1500", encoding="ascii")
        time.sleep(2)

    def lose(self, brokers):
        for broker in brokers:
            self.lab.faults_of_disk[broker].unlink(missing_ok=True)
        chance = random.Random(self.chance_seed)
        for broker in brokers:
            if not self.lab.notes[broker].exists():
                raise Invalid(f"{self}: nobody noted what broker {broker} synced")
            gone, entries = power_loss.lose_power(self.lab.notes[broker], self.lab.data(broker),
                                                  chance)
            self.lab.log(f"    broker {broker} lost {gone} bytes and {entries} directory entries")

    def run(self):
        self.slow_down([self.victim])
        self.lab.local("kill", self.victim)
        self.lose([self.victim])
        self.seen(self.out_of_service, "that it is gone")
        time.sleep(self.down_seconds)


class PowerLossOfAll(PowerLoss):
    """All at once."""

    def __str__(self):
        return "PowerLossOfAll"

    def run(self):
        self.slow_down(ALL)
        pids = [self.lab.pid(broker) for broker in ALL]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.seen(lambda: all(r["state"] == "stopped" for r in self.lab.cluster.status()),
                  "that all are gone")
        self.lose(ALL)

    def heal(self):
        for broker in ALL:
            if self.lab.cluster.broker(broker)["state"] == "stopped":
                self.lab.start_broker(broker)


class LoseDisk(Kill):
    """kill -9, and the broker comes back with a blank disk. One at a time: while the others have
    all that was acknowledged. Until it votes again there are two voters, and another fault would
    leave no majority that could notice it."""
    may_be_hurried = False

    def run(self):
        self.lab.settle()
        self.lab.local("kill", self.victim)
        for path in self.lab.data(self.victim).iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        self.seen(self.out_of_service, "that it is gone")
        time.sleep(self.down_seconds)


class BitFlip(Fault):
    """A bit flips in a segment that is closed, of a follower or of the leader: the scrub finds it, and
    what is there in the end is what was there before."""
    weight = 2
    needs_others = True

    def __init__(self, lab, chance):
        super().__init__(lab, chance)
        self.draw = random.Random(self.chance_seed)

    def closed_segment(self):
        """A file in whose place nobody else's will come; None: there is none yet."""
        found = [path for topic in self.lab.topic_ids()
                 for folder in sorted(self.lab.data(self.victim).glob(f"{topic}.*"))
                 for path in sorted(folder.glob("*.log"))[:-1]]
        return self.draw.choice(found) if found else None

    def told(self, what):
        return self.lab.log_of(self.victim).count(what)

    def run(self):
        self.lab.settle()
        path, _ = wait_for(self.closed_segment, 60, Invalid(f"{self}: no segment is closed yet"))
        before = path.read_bytes()
        found, mended = self.told("is DAMAGED"), self.told("are WHOLE AGAIN")
        at, bit = self.draw.randrange(len(before)), 1 << self.draw.randrange(8)
        self.lab.log(f"    bit {bit} of byte {at} of {path.parent.name}/{path.name}")
        with open(path, "r+b") as file:
            file.seek(at)
            file.write(bytes([before[at] ^ bit]))
        self.seen(lambda: self.told("is DAMAGED") > found, "that the damage is found", 60)
        self.seen(lambda: self.told("are WHOLE AGAIN") > mended, "that it is mended", 60)
        if path.read_bytes() != before:
            raise Broken(f"{self}: {path} is not what it was")


KINDS = [Kill, KillController, Terminate, RollingRestart, Pause, PauseController, ShortPause, Cut, Reassign,
         Deaf, Mute, SlowSync, FailingSync, FullDisk, PowerLoss, PowerLossOfAll, LoseDisk, BitFlip]
BY_NAME = {kind.__name__: kind for kind in KINDS}


def mount_data(lab):
    """A file system in memory for each broker's data."""
    for broker in ALL:
        lab.data(broker).mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", lab.data(broker)],
                       check=True)


def unmount_data(lab):
    for broker in ALL:
        if pathlib.Path(lab.data(broker)).is_mount():
            subprocess.run(["umount", "-l", lab.data(broker)], check=False)


__all__ = ["BY_NAME", "KINDS", "Broken", "Invalid", "mount_data", "unmount_data"]
