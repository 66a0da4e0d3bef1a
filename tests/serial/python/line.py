"""pyserial at a line of RFC 2217: it sets it, talks, and reads the modem's lines. The far end echoes."""

import sys

import serial

url = "rfc2217://127.0.0.1:%s" % sys.argv[1]
port = serial.serial_for_url(url, baudrate=9600, timeout=10)
every = bytes(range(256)) * 64 + b"\r\0\r\n\xff\xff"


def talk(what):
    port.write(every)
    back = port.read(len(every))
    print(what, "whole" if back == every else "broken %d" % len(back))


talk("at %d" % port.baudrate)
port.baudrate = 57600
talk("at %d" % port.baudrate)
port.baudrate = 31250
port.stopbits = serial.STOPBITS_TWO
talk("at %d" % port.baudrate)
port.rtscts = True
port.dtr = False
port.rts = False
port.send_break(0.05)
port.reset_input_buffer()
port.reset_output_buffer()
print("modem", port.cts, port.dsr, port.ri, port.cd)
talk("after a break")
try:
    serial.serial_for_url(url, timeout=1)
    print("a second one has it, too")
except (serial.SerialException, ValueError) as error:
    print("a second one has not")
port.close()
again = serial.serial_for_url(url, baudrate=115200, timeout=10)
again.write(b"again")
print("reopened", again.read(5).decode())
again.close()
