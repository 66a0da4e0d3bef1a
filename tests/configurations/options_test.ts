/**
 * Options of a server that cannot be meant, alone or beside each other.
 *
 * @module
 */

import { refuses } from "./_check.ts";

refuses("server", [
  {
    what: "a number where an address belongs",
    file: `listen = 7443443\n`,
    says: 'server.toml:1:1: "listen": "7443443" in "0.0.0.0:7443443" is not a port; write a number from 0 to 65535',
  },
  {
    what: "a list where one text belongs",
    file: `admin = ["unix"]\n`,
    says: 'server.toml:1:1: "admin" has to be a text or a number; write admin = "…"',
  },
  {
    what: "a table where a text belongs",
    file: `[audit]\nfile = "x"\n`,
    says: 'server.toml:1:1: "audit" has to be a text or a number; write audit = "…"',
  },
  {
    what: "true where a text belongs",
    file: `listen = true\n`,
    says: 'server.toml:1:1: "listen" has to be a text or a number; write listen = "…"',
  },
  {
    what: "true in quotes",
    file: `plain = "true"\n`,
    says: 'server.toml:1:1: "plain" has to be true or false, without quotes',
  },
  {
    what: "a slip in a key",
    file: `lisen = "0.0.0.0:7443"\n`,
    says: 'server.toml:1:1: unknown key "lisen"; did you mean "listen"?',
  },
  {
    what: "a key of the other role",
    file: `service = ["ssh=127.0.0.1:22"]\n`,
    says:
      'server.toml:1:1: unknown key "service"; that is an option of the device; give this file to "sallyport device --config"',
  },
  {
    what: "a key that belongs into a section",
    file: `address = "0.0.0.0:1"\n`,
    says:
      'server.toml:1:1: unknown key "address"; it belongs in a [[listen]] section; for a single listener, write listen = "0.0.0.0:7443"',
  },
  {
    what: "a key twice",
    file: `listen = "0.0.0.0:7443"\nlisten = "0.0.0.0:7444"\n`,
    says:
      "server.toml:2:1: not TOML: trying to redefine an already defined table or value; it stands there already; write it once",
  },
  {
    what: "a port that is none",
    file: `listen = "0.0.0.0:70000"\n`,
    says: 'server.toml:1:1: "listen": "70000" in "0.0.0.0:70000" is not a port; write a number from 0 to 65535',
  },
  {
    what: "a host with a blank",
    file: `listen = "relay example:7443"\n`,
    says:
      'server.toml:1:1: "listen": "relay example" in "relay example:7443" is neither a host name nor an IP address; write one as in relay.example or 192.0.2.7',
  },
  {
    what: "an address without a port",
    file: `listen = "0.0.0.0"\n`,
    says: 'server.toml:1:1: "listen": "0.0.0.0" has no port; write HOST:PORT',
  },
  {
    what: "IPv6 without brackets",
    file: `listen = "::1:7443"\n`,
    says: 'server.toml:1:1: "listen": "::1:7443" is ambiguous; write an IPv6 address in brackets, as in [::1]:22',
  },
  {
    what: "two sections with one address",
    file: `[[listen]]\naddress = "0.0.0.0:7443"\n\n[[listen]]\naddress = "0.0.0.0:7443"\n`,
    says: 'server.toml:5:1: "address": 0.0.0.0:7443 is to be listened on twice; give each listener its own address',
  },
  {
    what: "a forward at the listener's own port",
    file: `[[listen]]\naddress = "0.0.0.0:2065"\nprofile = "v1"\nforward = ["0.0.0.0:2065=127.0.0.1:22"]\n`,
    says: 'server.toml:4:1: "forward": 0.0.0.0:2065 is to be listened on twice; give each listener its own address',
  },
  {
    what: "an address beside one that stands for all",
    file: `[[listen]]\naddress = "0.0.0.0:7443"\n\n[[listen]]\naddress = "127.0.0.1:7443"\n`,
    says:
      'server.toml:5:1: "address": 127.0.0.1:7443 and 0.0.0.0:7443 cannot both be had; give each listener its own address',
  },
  {
    what: "a forward within the range of another",
    file:
      `[[listen]]\naddress = "0.0.0.0:2065"\nprofile = "v1"\nforward = ["0.0.0.0:8000-8010=127.0.0.1:9000-9010", "0.0.0.0:8005=127.0.0.1:22"]\n`,
    says: 'server.toml:4:1: "forward": 0.0.0.0:8005 is to be listened on twice; give each listener its own address',
  },
  {
    what: "ranges that are not as long as each other",
    file: `profile = "v1"\nlisten = "0.0.0.0:2065"\nforward = ["0.0.0.0:8000-8010=127.0.0.1:9000-9005"]\n`,
    says:
      'server.toml:3:12: "forward": "0.0.0.0:8000-8010=127.0.0.1:9000-9005" has 11 host ports and 6 local ones; write as many of each',
  },
  {
    what: "a range that goes back",
    file: `profile = "v1"\nlisten = "0.0.0.0:2065"\nforward = ["0.0.0.0:8010-8000=127.0.0.1:9010-9000"]\n`,
    says: 'server.toml:3:12: "forward": "8010-8000" in "0.0.0.0:8010-8000" is not a range; write one as in 8000-8010',
  },
  {
    what: "a range that is too long",
    file: `profile = "v1"\nlisten = "0.0.0.0:2065"\nforward = ["0.0.0.0:1000-9000=127.0.0.1:1000-9000"]\n`,
    says: 'server.toml:3:12: "forward": "1000-9000" in "0.0.0.0:1000-9000" is too long; 256 ports can be',
  },
  {
    what: "a forward without its other half",
    file: `profile = "v1"\nlisten = "0.0.0.0:2065"\nforward = ["0.0.0.0:8000"]\n`,
    says:
      'server.toml:3:12: "forward": "0.0.0.0:8000" is not a forward; write HOST_ADDRESS:HOST_PORT=LOCAL_ADDRESS:LOCAL_PORT',
  },
  {
    what: "a forward on v2",
    file: `forward = ["0.0.0.0:2201=127.0.0.1:22"]\n`,
    says:
      'server.toml:1:1: "forward": v2 devices offer services by name, and devices.toml grants them; forwards are for profile v1',
  },
  {
    what: "v1 without a forward",
    file: `[[listen]]\naddress = "0.0.0.0:2065"\nprofile = "v1"\n`,
    says: 'server.toml:1:1: "forward" is missing; for example: forward = ["0.0.0.0:2201=127.0.0.1:22"]',
  },
  {
    what: "v1 with no forward in its list",
    file: `[[listen]]\naddress = "0.0.0.0:2065"\nprofile = "v1"\nforward = []\n`,
    says: 'server.toml:4:1: "forward" is missing; for example: forward = ["0.0.0.0:2201=127.0.0.1:22"]',
  },
  {
    what: "TLS on v1",
    file:
      `[[listen]]\naddress = "0.0.0.0:2065"\nprofile = "v1"\nforward = ["0.0.0.0:1=127.0.0.1:1"]\ntls-cert = "x.pem"\n`,
    says: 'server.toml:5:1: "tls-cert": v1 is always plain; leave it out, or use profile v2',
  },
  {
    what: "a profile that there is not",
    file: `profile = "v3"\n`,
    says: 'server.toml:1:1: "profile": "v3" is none of v1, v2',
  },
  {
    what: "an option of a listener beside sections",
    file: `plain = true\n[[listen]]\naddress = "0.0.0.0:7443"\n`,
    says:
      'server.toml:1:1: "plain" beside [[listen]] would belong to no listener; write it in a section, or use --listen',
  },
  {
    what: "one bracket where two belong",
    file: `[listen]\naddress = "0.0.0.0:7443"\n`,
    says: 'server.toml:1:1: "listen" has to be a list of tables; write [[listen]] above each',
  },
  {
    what: "a slip in a section",
    file: `[[listen]]\naddress = "0.0.0.0:7443"\nadress = "x"\n`,
    says: 'server.toml:3:1: unknown key "adress"; did you mean "address"?',
  },
  {
    what: "a key in a section that stands above",
    file: `[[listen]]\naddress = "0.0.0.0:7443"\nexpiration = "15s"\n`,
    says:
      'server.toml:3:1: unknown key "expiration"; known here: address, profile, forward, tls-cert, tls-key, proxy-from, plain',
  },
  {
    what: "a network with too long a prefix",
    file: `proxy-from = ["10.0.0.0/33"]\n`,
    says: 'server.toml:1:15: "proxy-from": "10.0.0.0/33" is not a network; write one as in 10.0.0.0/8',
  },
  {
    what: "a name where a network belongs",
    file: `proxy-from = ["balancer.lan"]\n`,
    says: 'server.toml:1:15: "proxy-from": "balancer.lan" is not a network; write one as in 10.0.0.0/8',
  },
  {
    what: "a time in words",
    file: `expiration = "15 seconds"\n`,
    says: 'server.toml:1:1: "expiration": "15 seconds" is not a duration; write one as in 10s, 500ms or 2m',
  },
  {
    what: "a time below 0",
    file: `expiration = -1\n`,
    says: 'server.toml:1:1: "expiration": "-1" is not a duration; write one as in 10s, 500ms or 2m',
  },
  {
    what: "a time of 0 where there has to be one",
    file: `stall-timeout = 0\n`,
    says: 'server.toml:1:1: "stall-timeout": "0" is too short; write a duration above 0',
  },
  {
    what: "a slip in a way of keep-alive",
    file: `keep-alive = "adaptiv"\n`,
    says:
      'server.toml:1:1: "keep-alive": "adaptiv" is no keep-alive; write adaptive, metered, fast, or idle timeout, interval and count, as in 25s,5s,2',
  },
  {
    what: "keep-alive as a whole and in part",
    file: `keep-alive = "fast"\nidle-timeout = "3s"\n`,
    says: 'server.toml:2:1: "idle-timeout" is a part of what keep-alive says as a whole; give one of them',
  },
  {
    what: "too many probes",
    file: `probe-count = 300\n`,
    says: 'server.toml:1:1: "probe-count": "300" is not a whole number from 0 to 127',
  },
  {
    what: "bytes in words",
    file: `warn-bytes-a-day = "20 megabytes"\n`,
    says:
      'server.toml:1:1: "warn-bytes-a-day": "20 megabytes" is not a number of bytes; write one as in 500kB, 20MB or 1.5GB',
  },
  {
    what: "an engine that there is not",
    file: `engine = "nativ"\n`,
    says: 'server.toml:1:1: "engine": "nativ" is none of auto, native, portable',
  },
  {
    what: "a level of others' logs",
    file: `log-level = "warning"\n`,
    says: 'server.toml:1:1: "log-level": "warning" is none of debug, info, warn, error',
  },
  {
    what: "metrics without a port",
    file: `metrics = "127.0.0.1"\n`,
    says: 'server.toml:1:1: "metrics": "127.0.0.1" has no port; write HOST:PORT',
  },
  {
    what: "a hook as a shell would take it",
    file: `on-lost = "/usr/local/bin/alert --now"\n`,
    says:
      'server.toml:1:1: "on-lost" has to be a list of texts, as no shell splits it: on-lost = ["PROGRAM", "ARGUMENT"]',
  },
  {
    what: "a hook without a program",
    file: `on-lost = []\n`,
    says: 'server.toml:1:1: "on-lost" names no program; for example: on-lost = ["/usr/local/bin/alert", "--now"]',
  },
  {
    what: "a slip in a hook",
    file: `on-los = ["/bin/true"]\n`,
    says: 'server.toml:1:1: unknown key "on-los"; did you mean "on-lost"?',
  },
  {
    what: "rules of a forward that is not there",
    file:
      `profile = "v1"\nlisten = "0.0.0.0:2065"\nforward = ["0.0.0.0:2201=127.0.0.1:22"]\n[forward-rules."0.0.0.0:2202"]\nmax-clients = 1\n`,
    says: "server.toml:4:1: no v1 listener has a forward at 0.0.0.0:2202; there are: 0.0.0.0:2201",
  },
  {
    what: "a rule that v1 cannot have",
    file:
      `profile = "v1"\nlisten = "0.0.0.0:2065"\nforward = ["0.0.0.0:2201=127.0.0.1:22"]\n[forward-rules]\nbandwidth-down = "2MB/s"\n`,
    says: 'server.toml:5:1: "bandwidth-down" cannot be had on v1; it would hold up the whole link',
  },
  {
    what: "rules of forwards without v1",
    file: `[forward-rules]\nmax-clients = 1\n`,
    says: "server.toml:1:1: [forward-rules] is for v1, and no listener is; on v2 rules are in devices.toml",
  },
  {
    what: "a Unix socket with a mode that is none",
    file: `profile = "v1"\nlisten = "0.0.0.0:2065"\nforward = ["unix:/run/a.sock,mode=999=127.0.0.1:22"]\n`,
    says:
      'server.toml:3:12: "forward": mode "999" in "unix:/run/a.sock,mode=999" is none; write three or four octal digits, as in mode=0660',
  },
  {
    what: "a Unix socket without its whole path",
    file: `profile = "v1"\nlisten = "0.0.0.0:2065"\nforward = ["unix:a.sock=127.0.0.1:22"]\n`,
    says:
      'server.toml:3:12: "forward": "unix:a.sock" is no Unix socket; write its whole path, as in unix:/run/docker.sock, or unix:@NAME for an abstract one',
  },
  {
    what: "an address in the environment without a port",
    env: { SALLYPORT_LISTEN: "x" },
    says: 'SALLYPORT_LISTEN: "x" has no port; write HOST:PORT',
  },
  {
    what: "a flag in the environment that says neither",
    env: { SALLYPORT_PLAIN: "yes" },
    says: 'SALLYPORT_PLAIN is "yes"; write true or false',
  },
]);
