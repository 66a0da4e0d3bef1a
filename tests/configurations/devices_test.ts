/**
 * What cannot stand in devices.toml.
 *
 * @module
 */

import { refuses } from "./_check.ts";

const KEY = "ed25519:MoD09p63cAgdgkm0O067tDTnLifseMfHK1AG6FJOtp4";

const KEY2 = "ed25519:48zjAWukORAAVe-hLFUprfiT0zIy9Du6_Db-rrl2caM";

function list(text: string) {
  return { files: { "devices.toml": text }, args: ["--devices", "FOLDER/devices.toml"] };
}

/** A list of one device, which has all that it needs. */
function gateway(rest: string) {
  return list(`[gw1]\nkey = "${KEY}"\n${rest}`);
}

refuses("server", [
  {
    what: "a device without a key",
    ...list(`[gw1]\nservices = { ssh = "0.0.0.0:2201" }\n`),
    says: 'devices.toml:1:1: "key" is missing; "device key" prints it on the device',
  },
  {
    what: "a slip in a key",
    ...list(`[gw1]\nkay = "x"\n`),
    says: 'devices.toml:2:1: unknown key "kay"; did you mean "key"?',
  },
  {
    what: "a public key that is too short",
    ...list(`[gw1]\nkey = "ed25519:abc"\n`),
    says:
      'devices.toml:2:1: "key": "ed25519:abc" is not a public key: it has 3 characters after ed25519:; write ed25519: and 43 characters, as "device key" prints it',
  },
  {
    what: "a public key of ssh",
    ...list(`[gw1]\nkey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMKh"\n`),
    says:
      'devices.toml:2:1: "key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMKh" is not a public key; write ed25519: and 43 characters, as "device key" prints it',
  },
  {
    what: "two devices with one key",
    ...list(`[gw1]\nkey = "${KEY}"\n[gw2]\nkey = "${KEY}"\n`),
    says: 'devices.toml:4:1: "gw1" has the same key; give every device its own',
  },
  {
    what: "two devices with one name",
    ...list(`[gw1]\nkey = "${KEY}"\n[gw1]\nkey = "${KEY2}"\n`),
    says:
      "devices.toml:3:2: not TOML: trying to redefine an already defined table or value; it stands there already; write it once",
  },
  {
    what: "a name with a blank",
    ...list(`["gw 1"]\nkey = "${KEY}"\n`),
    says: 'devices.toml:1:1: "gw 1" is not a name; write 1 to 63 of a-z A-Z 0-9 . _ -',
  },
  {
    what: "a key of no device",
    ...list(`key = "${KEY}"\n`),
    says:
      'devices.toml:1:1: "key" stands in no table; each device has one by its name, [gw1], and what is its own below',
  },
  {
    what: "two devices with one host port",
    ...list(
      `[gw1]\nkey = "${KEY}"\nservices = { ssh = "0.0.0.0:2201" }\n[gw2]\nkey = "${KEY2}"\nservices = { web = "127.0.0.1:2201" }\n`,
    ),
    says: 'devices.toml:6:14: "gw1" has 0.0.0.0:2201 for "ssh"; give "web" of "gw2" another host port',
  },
  {
    what: "two services with one host port",
    ...gateway(`services = { ssh = "0.0.0.0:2201", web = "0.0.0.0:2201" }\n`),
    says: 'devices.toml:3:36: "gw1" has 0.0.0.0:2201 for "ssh"; give "web" of "gw1" another host port',
  },
  {
    what: "services as a device has them",
    ...gateway(`services = ["ssh=0.0.0.0:2201"]\n`),
    says: 'devices.toml:3:1: "services" has to be a table; write [gw1.services] or services = { … }',
  },
  {
    what: "a service without its address",
    ...gateway(`[gw1.services.ssh]\nmax-clients = 2\n`),
    says: 'devices.toml:3:1: "listen" is missing; for example: listen = "0.0.0.0:2201"',
  },
  {
    what: "a service with a blank in its name",
    ...gateway(`services = { "a b" = "0.0.0.0:1" }\n`),
    says: 'devices.toml:3:14: "a b" is not a name; write 1 to 63 of a-z A-Z 0-9 . _ -',
  },
  {
    what: "a range that goes back",
    ...gateway(`services = { ssh = "0.0.0.0:2299-2200" }\n`),
    says: 'devices.toml:3:14: "ssh": "2299-2200" in "0.0.0.0:2299-2200" is not a range; write one as in 8000-8099',
  },
  {
    what: "a network with too long a prefix",
    ...gateway(`allow-from = ["10.0.0.0/64"]\n`),
    says: 'devices.toml:3:15: "allow-from": "10.0.0.0/64" is not a network; write one as in 10.0.0.0/8',
  },
  {
    what: "a list of networks that is empty",
    ...gateway(`allow-from = []\n`),
    says: 'devices.toml:3:1: "allow-from" is empty, so nobody could come; name networks, or write closed = true',
  },
  {
    what: "hours without a zone",
    ...gateway(`hours = ["Mon-Fri 08:00-18:00"]\n`),
    says:
      'devices.toml:3:10: "hours": "Mon-Fri 08:00-18:00" is not a window; write days, hours and a time zone: Mon-Fri 08:00-18:00 Europe/Berlin',
  },
  {
    what: "hours in a zone that there is not",
    ...gateway(`hours = ["Mon-Fri 08:00-18:00 Europe/Berln"]\n`),
    says:
      'devices.toml:3:10: "hours": "Europe/Berln" in "Mon-Fri 08:00-18:00 Europe/Berln" is not a time zone; write UTC, or one as in Europe/Berlin',
  },
  {
    what: "hours of a longer day",
    ...gateway(`hours = ["08:00-25:00 UTC"]\n`),
    says: 'devices.toml:3:10: "hours": "25:00" in "08:00-25:00 UTC" is not a time; write one from 00:00 to 24:00',
  },
  {
    what: "hours without a length",
    ...gateway(`hours = ["08:00-08:00 UTC"]\n`),
    says: 'devices.toml:3:10: "hours": "08:00-08:00 UTC" has no length; a whole day is 00:00-24:00',
  },
  {
    what: "days in another language",
    ...gateway(`hours = ["Mo-Fr 08:00-18:00 UTC"]\n`),
    says:
      'devices.toml:3:10: "hours": "Mo-Fr" in "Mo-Fr 08:00-18:00 UTC" is not a day; write them as in Mon-Fri or Sat,Sun',
  },
  {
    what: "a rate in words",
    ...gateway(`client-rate = "10 per second"\n`),
    says:
      'devices.toml:3:1: "client-rate": "10 per second" is not a rate; write one as in 10/s, 30/min or 100/h, up to 100000',
  },
  {
    what: "a bandwidth without a time",
    ...gateway(`bandwidth-up = "10MB"\n`),
    says: 'devices.toml:3:1: "bandwidth-up": "10MB" is not a bandwidth; write one as in 500kB/s, 2MB/s or 10Mbit/s',
  },
  {
    what: "a bandwidth that is too little",
    ...gateway(`bandwidth-up = "1kB/s"\n`),
    says: 'devices.toml:3:1: "bandwidth-up": "1kB/s" is too little; 10kB/s is the least',
  },
  {
    what: "no clients at all",
    ...gateway(`max-clients = 0\n`),
    says: 'devices.toml:3:1: "max-clients": "0" is not a whole number from 1 to 65536',
  },
  {
    what: "clients in words",
    ...gateway(`max-clients = "many"\n`),
    says: 'devices.toml:3:1: "max-clients": "many" is not a whole number from 1 to 65536',
  },
  {
    what: "a time with a blank",
    ...gateway(`time-limit = "8 h"\n`),
    says: 'devices.toml:3:1: "time-limit": "8 h" is not a duration; write one as in 10s, 500ms or 2m',
  },
  {
    what: "a date as in Germany",
    ...gateway(`expires = "31.01.2027"\n`),
    says: 'devices.toml:3:1: "expires": "31.01.2027" is not a date; write one as in 2027-01-31 or 2027-01-31T12:00:00Z',
  },
  {
    what: "a day that there is not",
    ...gateway(`expires = "2027-02-30"\n`),
    says: 'devices.toml:3:1: "expires": "2027-02-30" is not a date; write one as in 2027-01-31 or 2027-01-31T12:00:00Z',
  },
  {
    what: "a time without its zone",
    ...gateway(`expires = 2027-01-31T12:00:00\n`),
    says:
      'devices.toml:3:1: "expires": "2027-01-31T12:00:00.000" has no zone; write 2027-01-31T12:00:00.000Z for UTC, or +02:00 in place of Z',
  },
  {
    what: "no where false belongs",
    ...gateway(`disabled = "no"\n`),
    says: 'devices.toml:3:1: "disabled" has to be true or false, without quotes',
  },
  {
    what: "a tag with a blank",
    ...gateway(`tags = ["site berlin"]\n`),
    says:
      'devices.toml:3:9: "tags": "site berlin" is no tag; write a word, or two as in site:berlin, of 63 characters at most',
  },
  {
    what: "too many tags",
    ...gateway(`tags = [${Array.from({ length: 40 }, (_, n) => `"t${n}"`).join(", ")}]\n`),
    says: "devices.toml:3:1: 32 tags are the most",
  },
  {
    what: "a comment that is too long",
    ...gateway(`comment = "${"x".repeat(300)}"\n`),
    says: 'devices.toml:3:1: "comment": a comment is one line of 200 bytes at most',
  },
  {
    what: "a slip in a rule",
    ...gateway(`max-client = 5\n`),
    says: 'devices.toml:3:1: unknown key "max-client"; did you mean "max-clients"?',
  },
  {
    what: "a device called defaults",
    ...list(`[defaults]\nkey = "${KEY}"\n`),
    says: "devices.toml:2:1: [defaults] has the rules for all devices; give the device of this key another name",
  },
  {
    what: "a mode that is none",
    ...gateway(`services = { ssh = "unix:/run/a.sock,mode=66" }\n`),
    says:
      'devices.toml:3:14: "ssh": mode "66" in "unix:/run/a.sock,mode=66" is none; write three or four octal digits, as in mode=0660',
  },
  {
    what: "a group that is none",
    ...gateway(`services = { ssh = "unix:/run/a.sock,group=a b" }\n`),
    says: 'devices.toml:3:14: "ssh": group "a b" in "unix:/run/a.sock,group=a b" is none; write its name or its number',
  },
  {
    what: "an option that a socket has not",
    ...gateway(`services = { ssh = "unix:/run/a.sock,owner=me" }\n`),
    says:
      'devices.toml:3:14: "ssh": "owner=me" in "unix:/run/a.sock,owner=me" is nothing here; there are mode=0660 and group=NAME',
  },
  {
    what: "a socket without a mode",
    ...gateway(`services = { ssh = "unix:@a" }\n`),
    says:
      'devices.toml:3:14: "ssh": "unix:@a" has no mode, so that everybody here could connect; write a path in place of @',
  },
  {
    what: "a socket with too long a path",
    ...gateway(`services = { ssh = "unix:/${"x".repeat(120)}" }\n`),
    says:
      'devices.toml:3:14: "ssh": "unix:/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" is too long: 121 bytes, and 107 are the most',
  },
  {
    what: "two services at one socket",
    ...list(
      `[gw1]\nkey = "${KEY}"\nservices = { ssh = "unix:/run/a.sock" }\n[gw2]\nkey = "${KEY2}"\nservices = { web = "unix:/run/a.sock" }\n`,
    ),
    says: 'devices.toml:6:14: "gw1" has unix:/run/a.sock for "ssh"; give "web" of "gw2" another host port',
  },
  {
    what: "datagrams that may not be old at all",
    ...gateway(`services = { snmp = "udp:0.0.0.0:1161,max-age=0s" }\n`),
    says:
      'devices.toml:3:14: "snmp": max-age in "udp:0.0.0.0:1161,max-age=0s": "0s" is too short; write a duration above 0',
  },
  {
    what: "datagrams that may be too old",
    ...gateway(`services = { snmp = "udp:0.0.0.0:1161,max-age=1h" }\n`),
    says: 'devices.toml:3:14: "snmp": max-age in "udp:0.0.0.0:1161,max-age=1h" is more than 1m; write less',
  },
  {
    what: "an option that UDP has not",
    ...gateway(`services = { snmp = "udp:0.0.0.0:1161,age=1s" }\n`),
    says: 'devices.toml:3:14: "snmp": "age=1s" in "udp:0.0.0.0:1161,age=1s" is nothing here; there is max-age=200ms',
  },
  {
    what: "a PROXY header on UDP",
    ...gateway(`services = { snmp = { listen = "udp:0.0.0.0:1161", proxy-from = ["10.0.0.0/8"] } }\n`),
    says: "devices.toml:3:23: snmp is one of UDP, which has no PROXY header: leave proxy-from out",
  },
  {
    what: "a service of UDP that the server defines",
    ...gateway(`services = { snmp = { listen = "udp:0.0.0.0:1161", local = "127.0.0.1:1" } }\n`),
    says: "devices.toml:3:23: snmp is one of UDP, which the device has to define: leave local out",
  },
  {
    what: "a service at port 0",
    ...gateway(`services = { web = { listen = "0.0.0.0:80", local = "127.0.0.1:0" } }\n`),
    says: 'devices.toml:3:45: "local": the port in "127.0.0.1:0" is 0; write one from 1 to 65535',
  },
  {
    what: "a socket that the server defines",
    ...gateway(`services = { web = { listen = "0.0.0.0:80", local = "unix:/run/x" } }\n`),
    says:
      'devices.toml:3:45: "local": "unix:/run/x": Unix sockets are not supported here; what is carried is TCP: write HOST:PORT, as in 127.0.0.1:8080',
  },
  {
    what: "a version of a later release",
    ...list(`version = 2\n`),
    says:
      "devices.toml:1:1: this file is of version 2, and this program (0.1.0) knows 1 at most; install a newer one, or write it as version 1 has it",
  },
  {
    what: "an address of TCP that says so",
    ...gateway(`services = { ssh = "tcp:0.0.0.0:22" }\n`),
    says: 'devices.toml:3:14: "ssh": "tcp:0.0.0.0:22": TCP goes without saying; write 0.0.0.0:22 alone',
  },
]);
