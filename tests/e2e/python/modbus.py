"""A Modbus device, and a client of it, by pymodbus: `modbus.py serve`, which prints its port, or `modbus.py ask PORT`."""

import asyncio
import sys

from pymodbus.client import ModbusTcpClient
from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import ModbusTcpServer


async def serve() -> None:
    registers = ModbusDeviceContext(hr=ModbusSequentialDataBlock(1, list(range(100, 228))))
    server = ModbusTcpServer(ModbusServerContext(devices=registers, single=True), address=("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve_forever())
    while server.transport is None:
        await asyncio.sleep(0.01)
    print(server.transport.sockets[0].getsockname()[1])
    await serving


def ask(port: int) -> None:
    client = ModbusTcpClient("127.0.0.1", port=port, timeout=10)
    assert client.connect()
    print("read", *client.read_holding_registers(3, count=4).registers)
    client.write_register(3, 4711)
    client.write_registers(4, [1, 2, 3])
    print("again", *client.read_holding_registers(3, count=4).registers)
    for _ in range(200):
        assert client.read_holding_registers(0, count=120).registers[3] == 4711
    print("polled 200")
    client.close()


if sys.argv[1] == "serve":
    asyncio.run(serve())
else:
    ask(int(sys.argv[2]))
