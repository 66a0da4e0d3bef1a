"""Opens a bus that talks without a pause, by every wire of python-can 4, and reads a number of frames from each."""

import sys

import can

port = int(sys.argv[1])
for interface, more in ("remote", {"channel": f"127.0.0.1:{port}"}), (
    "socketcand",
    {"host": "127.0.0.1", "port": port, "channel": "can0"},
):
    for _ in range(3):
        bus = can.Bus(interface=interface, **more)
        count = sum(bus.recv(5) is not None for _ in range(200))
        bus.shutdown()
        print(interface, count)
