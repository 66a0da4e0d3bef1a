/**
 * Options of a device that cannot be meant, alone or beside each other.
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
    what: "a device that has not joined",
    file: `service = ["ssh=127.0.0.1:22"]\n`,
    says:
      "this device has not joined a server: state/device has none; let the server's `enroll` print a string and give it to `join`, or give --server and --server-key (for the original protocol, --profile v1)",
  },
  {
    what: "a server without its key",
    file: `server = "relay.example"\n`,
    says:
      'device.toml:1:1: "server" is given without server-key, which "sallyport server key" prints on the server (for the original protocol, profile v1)',
  },
  {
    what: "a key that is none",
    file: `server = "relay.example"\nserver-key = "ed25519:x"\n`,
    says:
      'device.toml:2:1: "server-key": "ed25519:x" is not a public key: it has 1 characters after ed25519:; write ed25519: and 43 characters, as "server key" prints it',
  },
  { what: "no service", file: device(``), says: "--service is missing; for example: --service ssh=127.0.0.1:22" },
  {
    what: "no service in the list",
    file: device(`service = []\n`),
    says: 'device.toml:3:1: "service" is missing; for example: service = ["ssh=127.0.0.1:22"]',
  },
  {
    what: "a server as an address of the web",
    file: `server = "https://relay.example"\nserver-key = "${KEY}"\nservice = "ssh=127.0.0.1:22"\n`,
    says: 'device.toml:1:1: "server": "https://relay.example" is a URL; write HOST:PORT alone',
  },
  {
    what: "a server at port 0",
    file: `server = "relay.example:0"\nserver-key = "${KEY}"\nservice = "ssh=127.0.0.1:22"\n`,
    says: 'device.toml:1:1: "server": the port in "relay.example:0" is 0; write one from 1 to 65535',
  },
  {
    what: "a key of the other role",
    file: device(`listen = "0.0.0.0:7443"\n`),
    says:
      'device.toml:3:1: unknown key "listen"; that is an option of the server; give this file to "sallyport server --config"',
  },
  {
    what: "a slip in a key",
    file: device(`services = ["ssh=127.0.0.1:22"]\n`),
    says: 'device.toml:3:1: unknown key "services"; did you mean "service"?',
  },
  {
    what: "a name among what is allowed",
    file: device(`allow = ["router.lan:80"]\n`),
    says:
      'device.toml:3:10: "allow": "router.lan" in "router.lan:80" is a name; write an IP or a network, as a name leads wherever others say',
  },
  {
    what: "a network without ports",
    file: device(`allow = ["10.0.0.0/8"]\n`),
    says: 'device.toml:3:10: "allow": "10.0.0.0/8" has no port; write HOST:PORT',
  },
  {
    what: "a range that goes back",
    file: device(`allow = ["10.0.0.0/8:90-80"]\n`),
    says:
      'device.toml:3:10: "allow": "90-80" in "10.0.0.0/8:90-80" is not a port from 1 to 65535, a range as in 8000-8099, or *',
  },
  {
    what: "a network with too long a prefix",
    file: device(`allow = ["10.0.0.0/40:80"]\n`),
    says: 'device.toml:3:10: "allow": "/40" in "10.0.0.0/40:80" is not a prefix length from 0 to 32',
  },
  {
    what: "a proxy of another kind",
    file: beside(`"a=127.0.0.1:1"`) + `proxy = "socks5://proxy.lan:1080"\n`,
    says:
      'device.toml:7:1: "proxy": "socks5://proxy.lan:1080" is no HTTP proxy; a proxy that is itself reached over http:// would do',
  },
  {
    what: "a proxy without a port",
    file: beside(`"a=127.0.0.1:1"`) + `proxy = "proxy.lan"\n`,
    says:
      'device.toml:7:1: "proxy": "http://proxy.lan" is no proxy: "proxy.lan" has no port; write HOST:PORT, as in http://proxy.example:3128',
  },
  {
    what: "a proxy with a % in its credentials",
    file: beside(`"a=127.0.0.1:1"`) + `proxy = "http://us%er:p@proxy.lan:3128"\n`,
    says:
      'device.toml:7:1: "proxy": the credentials in "http://…@proxy.lan:3128" have a % that is no %XX; write %25 for it',
  },
  {
    what: "such a proxy in the environment",
    file: beside(`"a=127.0.0.1:1"`),
    env: { HTTPS_PROXY: "socks5://proxy.lan:1080" },
    says:
      'HTTPS_PROXY: "socks5://proxy.lan:1080" is no HTTP proxy; a proxy that is itself reached over http:// would do; --proxy none dials directly',
  },
  {
    what: "an uplink that is none",
    file: beside(`"a=127.0.0.1:1"`) + `via = ["no such interface"]\n`,
    says:
      'device.toml:7:8: "via": "no such interface" is neither an IP address nor an interface; write one as in 192.0.2.7 or wwan0',
  },
  {
    what: "an IP as the name in TLS",
    file: beside(`"a=127.0.0.1:1"`) + `sni = "192.0.2.1"\n`,
    says: 'device.toml:7:1: "sni": "192.0.2.1" is no host name; write one as in relay.example',
  },
  {
    what: "a name in TLS beside a CA",
    file: beside(`"a=127.0.0.1:1"`) + `sni = "relay.example"\npki = true\n`,
    says:
      'device.toml:7:1: "sni" is for a pinned key; with pki the name that is sent is the server\'s, and its certificate has to have it',
  },
  {
    what: "a name in TLS without TLS",
    file: beside(`"a=127.0.0.1:1"`) + `sni = "relay.example"\nplain = true\n`,
    says: 'device.toml:7:1: "sni" is a name in TLS, and plain is without; give one',
  },
  {
    what: "a CA without TLS",
    file: beside(`"a=127.0.0.1:1"`) + `plain = true\npki = true\n`,
    says: 'device.toml:7:1: "plain" is without TLS, and pki asks for it; give one',
  },
  {
    what: "a binding to TLS without TLS",
    file: beside(`"a=127.0.0.1:1"`) + `plain = true\nrequire-binding = true\n`,
    says: 'device.toml:8:1: "require-binding" is about TLS, and plain is without; give one',
  },
  {
    what: "a CA that is not there",
    file: beside(`"a=127.0.0.1:1"`) + `ca = "FOLDER/ca.pem"\n`,
    says: "Cannot use ca.pem as --ca: there is no such file",
  },
  {
    what: "a folder as the CA",
    file: beside(`"a=127.0.0.1:1"`) + `ca = "FOLDER"\n`,
    says: "Cannot use FOLDER as --ca: it is not a file",
  },
  {
    what: "a CA that is none",
    file: beside(`"a=127.0.0.1:1"`) + `ca = "FOLDER/ca.pem"\n`,
    files: { "ca.pem": "x" },
    says: "Cannot use ca.pem as --ca: it has no certificate as PEM",
  },
  {
    what: "a mode that there is not",
    file: beside(`"a=127.0.0.1:1"`) + `mode = "idle"\n`,
    says: 'device.toml:7:1: "mode": "idle" is none of run, config',
  },
  {
    what: "a key on v1",
    file: `profile = "v1"\nserver = "relay.example"\nserver-key = "${KEY}"\nservice = "127.0.0.1:22"\n`,
    says: 'device.toml:3:1: "server-key" is for v2; leave it out, or use profile v2',
  },
  {
    what: "a service by name on v1",
    file: `profile = "v1"\nserver = "relay.example"\nservice = "ssh=127.0.0.1:22"\n`,
    says:
      'device.toml:3:1: "service" ssh=127.0.0.1:22 has a name, and v1 knows none; write what may be dialled: 127.0.0.1:22',
  },
  {
    what: "two servers on v1",
    file: `profile = "v1"\nserver = ["a.example", "b.example"]\nservice = "127.0.0.1:22"\n`,
    says: 'device.toml:2:1: "server": v1 has one server, and 2 are given; give one',
  },
  {
    what: "v1 without a service",
    file: `profile = "v1"\nserver = "a.example"\n`,
    says: 'device.toml:1:1: "service" is missing; for example: service = ["127.0.0.1:22"]',
  },
  {
    what: "v1 without a server",
    file: `profile = "v1"\nservice = "127.0.0.1:22"\n`,
    says: 'device.toml:1:1: "server" is missing; for example: server = ["relay.example:2065"]',
  },
  {
    what: "a network with too long a prefix on v1",
    file: `profile = "v1"\nserver = "a.example"\nservice = "10.0.0.0/40:22"\n`,
    says: 'device.toml:3:1: "service": "/40" in "10.0.0.0/40:22" is not a prefix length from 0 to 32',
  },
  {
    what: "an expiration time on v1",
    file: `profile = "v1"\nserver = "a.example"\nservice = "127.0.0.1:22"\nexpiration = "1m"\n`,
    says: 'device.toml:4:1: "expiration" is for v2; leave it out, or use profile v2',
  },
  {
    what: "a file of frp",
    file: `serverAddr = "x"\nserverPort = 7000\n[[proxies]]\nname = "ssh"\n`,
    says:
      "device.toml:1:1: this looks like a file of frp; a device needs no file: `server enroll` prints a string, and `device join` takes it; examples/server.toml and examples/device.toml have every word",
  },
]);
