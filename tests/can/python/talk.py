"""Clients of python-can 4 on one bus, by the wires that it has: what each sees of the others."""

import sys
import time

import can

port, slcan_port = int(sys.argv[1]), int(sys.argv[2])


def said(message):
    if message is None:
        return "nothing"
    kind = "x" if message.is_extended_id else "s"
    more = "r" if message.is_remote_frame else "f" if message.is_fd else ""
    return f"{kind}{more} {message.arbitration_id:x} {message.dlc} {message.data.hex()}"


def told(name, bus, timeout=5):
    print(name, said(bus.recv(timeout)))


def of(id, data=b"", extended=False, **more):
    return can.Message(arbitration_id=id, is_extended_id=extended, data=data, **more)


web = can.Bus(interface="remote", channel=f"ws://127.0.0.1:{port}/", bitrate=500000)
some = can.Bus(interface="remote", channel=f"127.0.0.1:{port}", can_filters=[{"can_id": 0x12, "can_mask": 0xFF}])
sock = can.Bus(interface="socketcand", host="127.0.0.1", port=port, channel="can0")
serial = can.Bus(interface="slcan", channel=f"socket://127.0.0.1:{slcan_port}", bitrate=500000, sleep_after_open=0.1)
print("version", serial.get_version(5))  # by then it is open, which it is not told otherwise
print("info", web.channel_info.split(" on ")[0])

web.send(of(0x12, bytes([1, 2, 3])))
for name, bus in ("some", some), ("sock", sock), ("serial", serial):
    told(name, bus)
told("web", web, 0.2)  # not its own

sock.send(of(0x12345, b"", extended=True))
for name, bus in ("web", web), ("serial", serial):
    told(name, bus)
told("some", some, 0.2)  # does not pass

serial.send(of(0x123, is_remote_frame=True, dlc=8))
told("web", web)
told("sock", sock, 0.2)  # has no words for it

serial.send(of(0x7FF, bytes(range(8))))
for name, bus in ("web", web), ("sock", sock):
    told(name, bus)

web.send(of(0x12, bytes(12), is_fd=True, bitrate_switch=True))
told("some", some)

task = web.send_periodic(of(0x112, b"\x07"), 0.01)
count = 0
while count < 5:
    message = some.recv(5)
    assert message is not None and message.data == b"\x07", message
    count += 1
task.stop()
print("periodic", count)

for name, bus in ("web", web), ("some", some), ("sock", sock), ("serial", serial):
    start = time.monotonic()
    bus.shutdown()
    print("shutdown", name, "at once" if time.monotonic() - start < 0.5 else "late")
