"""Clients of the remote interface, version 5, as python-can 2.1 still has it."""

import sys
import time

import can
from can.interfaces.remote import RemoteBus

channel = f"127.0.0.1:{sys.argv[1]}"


def told(name, bus, timeout=5):
    message = bus.recv(timeout)
    if message is None:
        return print(name, "nothing")
    print(name, f"{message.arbitration_id:x} {message.dlc} {bytes(message.data).hex()} {message.is_extended_id}")


one = RemoteBus(channel, bitrate=125000)
two = RemoteBus(channel, can_filters=[{"can_id": 0x12, "can_mask": 0xFF, "extended": False}])
print("info", one.channel_info)
one.send(can.Message(arbitration_id=0x12, extended_id=True, data=[9]))
one.send(can.Message(arbitration_id=0x12, extended_id=False, data=[1, 2, 3]))
told("two", two)
told("one", one, 0.2)
task = one.send_periodic(can.Message(arbitration_id=0x112, extended_id=False, data=[7]), 0.01)
for _ in range(5):
    message = two.recv(5)
    assert message is not None and list(message.data) == [7], message
task.stop()
print("periodic 5")
for name, bus in ("one", one), ("two", two):
    start = time.time()
    bus.shutdown()
    print("shutdown", name, "at once" if time.time() - start < 0.5 else "late")
