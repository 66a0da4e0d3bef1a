/**
 * Services that a device cannot offer.
 *
 * @module
 */

import { refuses } from "./_check.ts";

const KEY = "ed25519:MoD09p63cAgdgkm0O067tDTnLifseMfHK1AG6FJOtp4";

function device(rest: string): string {
  return `server = "relay.example"\nserver-key = "${KEY}"\n${rest}`;
}

/** A device with an ordinary service, and another one. */
function beside(service: string): string {
  return device(`service = [\n  "ssh=127.0.0.1:22",\n  ${service},\n]\n`);
}

refuses("device", [
  {
    what: "a service without a name",
    file: beside(`"127.0.0.1:80"`),
    says: 'device.toml:3:1: "service" 127.0.0.1:80 has no name; on v2 write one in front: ssh=127.0.0.1:80',
  },
  {
    what: "a name twice",
    file: beside(`"ssh=127.0.0.1:80"`),
    says: 'device.toml:3:1: "service" ssh is given twice; give each its own name',
  },
  {
    what: "a port that is none",
    file: beside(`"web=127.0.0.1:99999"`),
    says: 'device.toml:5:3: "service": "99999" in "127.0.0.1:99999" is not a port; write a number from 0 to 65535',
  },
  {
    what: "an address without a port",
    file: beside(`"web=127.0.0.1"`),
    says: 'device.toml:5:3: "service": "127.0.0.1" has no port; write HOST:PORT',
  },
  {
    what: "a name with a blank",
    file: beside(`"web site=127.0.0.1:80"`),
    says: 'device.toml:5:3: "service": "web site" is not a name; write 1 to 63 of a-z A-Z 0-9 . _ -',
  },
  {
    what: "an empty name",
    file: beside(`"=127.0.0.1:80"`),
    says: 'device.toml:5:3: "service": "" is not a name; write 1 to 63 of a-z A-Z 0-9 . _ -',
  },
  {
    what: "a PROXY header of another version",
    file: beside(`"web=127.0.0.1:80,proxy=v3"`),
    says: 'device.toml:5:3: "service": "proxy=v3" in "web=127.0.0.1:80,proxy=v3": write proxy=v1 or proxy=v2',
  },
  {
    what: "an answer for when it is down that there is not",
    file: beside(`"web=127.0.0.1:80,down=close"`),
    says: 'device.toml:5:3: "service": "down=close" in "web=127.0.0.1:80,down=close": write down=refuse',
  },
  {
    what: "no clients at all",
    file: beside(`"web=127.0.0.1:80,max-clients=0"`),
    says:
      'device.toml:5:3: "service": "max-clients=0" in "web=127.0.0.1:80,max-clients=0": write a whole number from 1 to 65536',
  },
  {
    what: "a time in words",
    file: beside(`"web=127.0.0.1:80,connect-timeout=soon"`),
    says:
      'device.toml:5:3: "service": "connect-timeout=soon": "soon" is not a duration; write one as in 10s, 500ms or 2m',
  },
  {
    what: "a slip in an option",
    file: beside(`"web=127.0.0.1:80,maxclients=4"`),
    says:
      'device.toml:5:3: "service": "maxclients=4" in "web=127.0.0.1:80,maxclients=4" is not known; did you mean "max-clients=4"?',
  },
  {
    what: "an option twice",
    file: beside(`"web=127.0.0.1:80,proxy=v1,proxy=v2"`),
    says: 'device.toml:5:3: "service": "web=127.0.0.1:80,proxy=v1,proxy=v2" says proxy twice; say it once',
  },
  {
    what: "a port alone",
    file: beside(`8080`),
    says: 'device.toml:5:3: "service": "8080" has no host; write HOST:PORT, as in 127.0.0.1:8080',
  },
  {
    what: "true",
    file: beside(`true`),
    says: 'device.toml:5:3: "service" has to be a text or a number; write service = "…"',
  },
  {
    what: "an address of the web",
    file: beside(`"web=http://127.0.0.1:80"`),
    says:
      'device.toml:5:3: "service": "http://127.0.0.1:80" is no endpoint; write HOST:PORT, or one of unix:/run/docker.sock, exec:["/usr/bin/program","argument"], can:can0, serial:/dev/ttyUSB0,115200,8n1, udp:127.0.0.1:161',
  },
  {
    what: "an address of TCP that says so",
    file: beside(`"web=tcp:127.0.0.1:80"`),
    says: 'device.toml:5:3: "service": "tcp:127.0.0.1:80": TCP goes without saying; write 127.0.0.1:80 alone',
  },
  {
    what: "a Unix socket without its whole path",
    file: beside(`"d=unix:run/docker.sock"`),
    says:
      'device.toml:5:3: "service": "unix:run/docker.sock" is no Unix socket; write its whole path, as in unix:/run/docker.sock, or unix:@NAME for an abstract one',
  },
  {
    what: "a Unix socket without a path",
    file: beside(`"d=unix:"`),
    says:
      'device.toml:5:3: "service": "unix:" is no Unix socket; write its whole path, as in unix:/run/docker.sock, or unix:@NAME for an abstract one',
  },
  {
    what: "a Unix socket with an option of the server's",
    file: beside(`"d=unix:/run/docker.sock,mode=0660"`),
    says:
      'device.toml:5:3: "service": "mode=0660" in "unix:/run/docker.sock,mode=0660" is nothing here; a path has no comma in it',
  },
  {
    what: "a program as a shell would take it",
    file: beside(`"d=exec:/usr/bin/date -u"`),
    says:
      'device.toml:5:3: "service": "exec:/usr/bin/date -u" is no list of texts; write exec:["/usr/bin/program","argument"], as no shell splits it',
  },
  {
    what: "a program without its whole path",
    file: beside(`'d=exec:["date"]'`),
    says:
      'device.toml:5:3: "service": "exec:["date"]" does not begin with the whole path of a program; write exec:["/usr/bin/program","argument"]',
  },
  {
    what: "no program",
    file: beside(`'d=exec:[]'`),
    says:
      'device.toml:5:3: "service": "exec:[]" does not begin with the whole path of a program; write exec:["/usr/bin/program","argument"]',
  },
  {
    what: "a number among the arguments",
    file: beside(`'d=exec:["/bin/sleep",5]'`),
    says:
      'device.toml:5:3: "service": "exec:["/bin/sleep",5]" is no list of texts; write exec:["/usr/bin/program","argument"]',
  },
  {
    what: "an option that programs have not",
    file: beside(`'d=exec:["/bin/date"],tty'`),
    says:
      'device.toml:5:3: "service": "tty" in "exec:["/bin/date"],tty" is nothing here, or stands there twice; there are pty, stderr=log and stderr=client',
  },
  {
    what: "two outputs of a terminal",
    file: beside(`'d=exec:["/bin/date"],pty,stderr=client'`),
    says:
      'device.toml:5:3: "service": a terminal has one output; leave stderr=client out of "exec:["/bin/date"],pty,stderr=client"',
  },
  {
    what: "a PROXY header for a program",
    file: beside(`'d=exec:["/bin/date"],proxy=v2'`),
    says: 'device.toml:5:3: "service": proxy=v2 of the service d is a header for sockets; leave it out of exec:',
  },
  {
    what: "a speed that is too low",
    file: beside(`"c=serial:/dev/ttyUSB0,10"`),
    says: 'device.toml:5:3: "service": the speed "10" in "/dev/ttyUSB0,10" is not a whole number from 50 to 20000000',
  },
  {
    what: "nine data bits",
    file: beside(`"c=serial:/dev/ttyUSB0,9600,9n1"`),
    says:
      'device.toml:5:3: "service": "9n1" in "/dev/ttyUSB0,9600,9n1" is no form of characters; write 5 to 8 data bits, n, o, e, m or s for the parity, and 1 or 2 stop bits, as in 8n1 or 7e2 (with 5 data bits: 1 or 1.5)',
  },
  {
    what: "a line without its whole path",
    file: beside(`"c=serial:ttyUSB0"`),
    says:
      'device.toml:5:3: "service": "ttyUSB0" names no serial line; write /dev/ttyUSB0,115200,8n1, and behind it what you need of flow=rts|xon, lock, share=read, control=rfc2217, replug=keep|end',
  },
  {
    what: "flow control that there is not",
    file: beside(`"c=serial:/dev/ttyUSB0,flow=hard"`),
    says:
      'device.toml:5:3: "service": "flow=hard" in "/dev/ttyUSB0,flow=hard": write flow=none or flow=rts or flow=xon',
  },
  {
    what: "a speed by another name",
    file: beside(`"c=serial:/dev/ttyUSB0,speed=9600"`),
    says:
      'device.toml:5:3: "service": "speed=9600" in "/dev/ttyUSB0,speed=9600" is not known; write /dev/ttyUSB0,115200,8n1, and behind it what you need of flow=rts|xon, lock, share=read, control=rfc2217, replug=keep|end',
  },
  {
    what: "two speeds",
    file: beside(`"c=serial:/dev/ttyUSB0,9600,19200"`),
    says: 'device.toml:5:3: "service": "/dev/ttyUSB0,9600,19200" says speed twice; say it once',
  },
  {
    what: "a bus without a name",
    file: beside(`"c=can:"`),
    says: 'device.toml:5:3: "service": "" names no bus; write can0, slcan:/dev/ttyACM0 or virtual:NAME',
  },
  {
    what: "a bus with too long a name",
    file: beside(`"c=can:averylonginterfacename"`),
    says:
      'device.toml:5:3: "service": "averylonginterfacename" is no CAN interface; write one as in can0, or slcan:/dev/ttyACM0, slcan:tcp:HOST:PORT, virtual:NAME',
  },
  {
    what: "a bitrate that is too low",
    file: beside(`"c=can:can0,bitrate=5"`),
    says: 'device.toml:5:3: "service": bitrate "5" is not a whole number from 1000 to 1000000',
  },
  {
    what: "a wire that there is not",
    file: beside(`"c=can:can0,wire=tcp"`),
    says: 'device.toml:5:3: "service": wire "tcp" is none of auto, remote, cannelloni, socketcand, slcan',
  },
  {
    what: "an option that buses have not",
    file: beside(`"c=can:can0,speed=5"`),
    says:
      'device.toml:5:3: "service": "speed=5" in "can0,speed=5" is nothing here; there are bitrate=N, wire=auto|remote|cannelloni|socketcand|slcan, listen-only, max-clients=N, and baud=N for slcan',
  },
  {
    what: "an adapter that is too slow",
    file: beside(`"c=can:slcan:/dev/ttyACM0,baud=1"`),
    says: 'device.toml:5:3: "service": baud "1" is not a whole number from 300 to 12000000',
  },
  {
    what: "datagrams that may not be old at all",
    file: beside(`"s=udp:127.0.0.1:161,max-age=0"`),
    says:
      'device.toml:5:3: "service": max-age in "udp:127.0.0.1:161,max-age=0": "0" is too short; write a duration above 0',
  },
  {
    what: "datagrams that may be too old",
    file: beside(`"s=udp:127.0.0.1:161,max-age=1h"`),
    says: 'device.toml:5:3: "service": max-age in "udp:127.0.0.1:161,max-age=1h" is more than 1m; write less',
  },
  {
    what: "a PROXY header on UDP",
    file: beside(`"s=udp:127.0.0.1:161,proxy=v2"`),
    says: 'device.toml:5:3: "service": proxy=v2 of the service s is a header for sockets; leave it out of udp:',
  },
  {
    what: "a look at UDP",
    file: beside(`"s=udp:127.0.0.1:161,down=refuse"`),
    says: 'device.toml:5:3: "service": down=refuse of the service s is for what can be looked at; leave it out of udp:',
  },
  {
    what: "UDP without a port",
    file: beside(`"s=udp:127.0.0.1"`),
    says: 'device.toml:5:3: "service": "127.0.0.1" has no port; write HOST:PORT',
  },
]);
