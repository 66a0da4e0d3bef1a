"""What users of python-can 4 see where the bus cannot be had."""

import sys

import can

port = int(sys.argv[1])
for interface, more in ("remote", {"channel": f"127.0.0.1:{port}"}), (
    "socketcand",
    {"host": "127.0.0.1", "port": port, "channel": "can0"},
):
    try:
        can.Bus(interface=interface, **more)
        print(interface, "is open")
    except Exception as error:
        print(interface, type(error).__name__, error)
