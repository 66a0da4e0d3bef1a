/**
 * Files that cannot be read as what they are for: the configuration, and those that it names.
 *
 * @module
 */

import { refuses } from "./_check.ts";

function bytes(...parts: (string | number[])[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(parts.flatMap((part) => typeof part === "string" ? [...new TextEncoder().encode(part)] : part));
}

refuses("server", [
  {
    what: "a text without quotes",
    file: `listen = 0.0.0.0:7443\n`,
    says:
      'server.toml:1:13: not TOML: illegal character in numeric literal; a line is KEY = VALUE, with quotes around a text: KEY = "TEXT"',
  },
  {
    what: "a quote that is not closed",
    file: `listen = "0.0.0.0:7443\n`,
    says:
      'server.toml:1:23: not TOML: control characters are not allowed in strings; a line is KEY = VALUE, with quotes around a text: KEY = "TEXT"',
  },
  {
    what: "a colon where an equals sign belongs",
    file: `listen: 0.0.0.0:7443\n`,
    says:
      'server.toml:1:7: not TOML: illegal character in key; a line is KEY = VALUE, with quotes around a text: KEY = "TEXT"',
  },
  {
    what: "an admin API for others",
    file: `admin = "0.0.0.0:7480"\n`,
    says:
      'server.toml:1:1: "admin": 0.0.0.0:7480 is for others than this machine, and the admin API has no TLS; use a loopback address, 127.0.0.1, and from elsewhere a tunnel or a reverse proxy with TLS',
  },
  {
    what: "an admin API by TCP without a token",
    file: `admin = "127.0.0.1:7480"\n`,
    says:
      'server.toml:1:1: "admin": 127.0.0.1:7480 needs a token, as every user of this machine can connect there: (umask 077; openssl rand -hex 32 > FILE), and admin-token-file FILE',
  },
  {
    what: "a token that is not there",
    file: `admin = "127.0.0.1:7480"\nadmin-token-file = "FOLDER/token"\n`,
    says: "token is not there; make a token: (umask 077; openssl rand -hex 32 > token)",
  },
  {
    what: "a token that others can read",
    file: `admin = "127.0.0.1:7480"\nadmin-token-file = "FOLDER/token"\n`,
    files: { token: ["0123456789abcdef0123456789abcdef", 0o644] },
    says: "Others can read or write token (mode 0644); run: chmod 600 token",
  },
  {
    what: "a token that is too short",
    file: `admin = "127.0.0.1:7480"\nadmin-token-file = "FOLDER/token"\n`,
    files: { token: "secret" },
    says: "token has to hold a token: one line of 16 characters at least, without blanks",
  },
  {
    what: "a token for nothing",
    file: `admin-token-file = "FOLDER/token"\n`,
    says: 'server.toml:1:1: "admin-token-file" is of use with admin HOST:PORT alone',
  },
  {
    what: "an audit in a folder that is not there",
    file: `audit = "FOLDER/no/audit.log"\n`,
    says: "Cannot use no/audit.log: the folder no is not there",
  },
  {
    what: "a folder as the audit",
    file: `audit = "FOLDER"\n`,
    says: "Cannot use FOLDER: it is a folder; name a file in it",
  },
  {
    what: "a webhook by FTP",
    file: `webhook = "ftp://hooks.example"\n`,
    says: 'server.toml:1:1: "webhook": this is no address of a webhook; write https://HOST/PATH',
  },
  {
    what: "a webhook without a scheme",
    file: `webhook = "hooks.example/x"\n`,
    says: 'server.toml:1:1: "webhook": this is no address of a webhook; write https://HOST/PATH',
  },
  {
    what: "a webhook with a password in its address",
    file: `webhook = "https://me:secret@hooks.example/x"\n`,
    says: 'server.toml:1:1: "webhook": a webhook\'s address has no user and no password; use --webhook-secret-file',
  },
  {
    what: "an event that there is not",
    file: `webhook = "https://hooks.example/x"\nwebhook-events = ["device-ofline"]\n`,
    says:
      'server.toml:2:19: "webhook-events": "device-ofline" is none of device-online, device-offline, device-interrupted, service-failed, certificate-ends, limit-reached',
  },
  {
    what: "a grace time without a webhook",
    file: `webhook-grace = "5m"\n`,
    says: 'server.toml:1:1: "webhook-grace" is of use beside webhook alone',
  },
  {
    what: "a secret that is not there",
    file: `webhook = "https://hooks.example/x"\nwebhook-secret-file = "FOLDER/secret"\n`,
    says: "secret is not there; make a secret: (umask 077; openssl rand -hex 32 > secret)",
  },
  {
    what: "a secret that the group can read",
    file: `webhook = "https://hooks.example/x"\nwebhook-secret-file = "FOLDER/secret"\n`,
    files: { secret: ["0123456789abcdef0123456789abcdef", 0o640] },
    says:
      "Its group, which its folder does not hand on (g+s), can read or write secret (mode 0640); run: chmod 600 secret",
  },
  {
    what: "a certificate without its key",
    file: `tls-cert = "FOLDER/cert.pem"\n`,
    says: 'server.toml:1:1: "tls-cert": tls-cert and tls-key belong together, and the other one is missing; give both',
  },
  {
    what: "a key without its certificate",
    file: `[[listen]]\naddress = "0.0.0.0:7443"\ntls-key = "FOLDER/key.pem"\n`,
    says: 'server.toml:3:1: "tls-key": tls-cert and tls-key belong together, and the other one is missing; give both',
  },
  {
    what: "a certificate without TLS",
    file: `plain = true\ntls-cert = "a"\ntls-key = "b"\n`,
    says: 'server.toml:1:1: "plain": it is without TLS, and tls-cert asks for it; give one of them',
  },
  {
    what: "a certificate that is not there",
    file: `tls-cert = "FOLDER/cert.pem"\ntls-key = "FOLDER/key.pem"\n`,
    says: "Cannot read a certificate from cert.pem (tls-cert): there is no such file",
  },
  {
    what: "a certificate that is none",
    file: `tls-cert = "FOLDER/cert.pem"\ntls-key = "FOLDER/key.pem"\n`,
    files: { "cert.pem": "hello", "key.pem": "hello" },
    says: "Cannot read a certificate from cert.pem (tls-cert): it is not PEM, or not whole",
  },
  {
    what: "a folder as the certificate",
    file: `tls-cert = "FOLDER"\ntls-key = "FOLDER/key.pem"\n`,
    files: { "key.pem": "hello" },
    says: "Cannot read a certificate from FOLDER (tls-cert): it is not a file",
  },
  {
    what: "a mistake behind a byte order mark",
    file: bytes([0xef, 0xbb, 0xbf], `listen = 1.2.3.4\n`),
    says:
      'server.toml:1:13: not TOML: illegal character in numeric literal; a line is KEY = VALUE, with quotes around a text: KEY = "TEXT"',
  },
  {
    what: "a mistake in lines with CRLF",
    file: `engine = "auto"\r\nlisten = "x"\r\n`,
    says: 'server.toml:2:1: "listen": "x" has no port; write HOST:PORT',
  },
  {
    what: "lines that end as on old Macs",
    file: `engine = "auto"\rplain = true\r`,
    says:
      'server.toml:1:16: not TOML: each key-value declaration must be followed by an end-of-line; a line is KEY = VALUE, with quotes around a text: KEY = "TEXT"',
  },
  {
    what: "Latin-1",
    file: bytes("# caf", [0xe9], '\nengine = "auto"\n'),
    says: "server.toml:1:6: this is not UTF-8; save the file as UTF-8",
  },
  {
    what: "UTF-16",
    file: bytes([0xff, 0xfe], [...'listen = "0.0.0.0:7443"\n'].flatMap((c) => [c.charCodeAt(0), 0]) as number[]),
    says: "server.toml: it is written in UTF-16; save it as UTF-8",
  },
  {
    what: "a NUL",
    file: `listen = "0.0.0.0:7443"\0\n`,
    says:
      'server.toml:1:24: not TOML: each key-value declaration must be followed by an end-of-line; a line is KEY = VALUE, with quotes around a text: KEY = "TEXT"',
  },
  {
    what: "a tab in an address",
    file: `listen = "0.0.0.0:7443\t"\n`,
    says: 'server.toml:1:1: "listen": "7443\t" in "0.0.0.0:7443\t" is not a port; write a number from 0 to 65535',
  },
  {
    what: "a mistake behind a tab",
    file: `\tlisten\t=\t"x"\n`,
    says: 'server.toml:1:2: "listen": "x" has no port; write HOST:PORT',
  },
  {
    what: "a file of 3 MB",
    file: "# " + "x".repeat(3_000_000) + "\n",
    says: "Cannot read server.toml: it has 3000003 bytes, more than 1 MiB",
  },
  { what: "a folder as the configuration", args: ["--config", "FOLDER"], says: "Cannot read FOLDER: it is not a file" },
  {
    what: "a configuration that is not there",
    args: ["--config", "FOLDER/none.toml"],
    says: "Cannot read none.toml: there is no such file",
  },
  {
    what: "a version of a later release",
    file: `version = 2\n`,
    says:
      "server.toml:1:1: this file is of version 2, and this program (0.1.0) knows 1 at most; install a newer one, or write it as version 1 has it",
  },
  {
    what: "a file of rathole",
    file: `[server]\nbind_addr = "0.0.0.0:2333"\n`,
    says:
      'server.toml:1:1: this looks like a file of rathole; here it is listen = "0.0.0.0:7443", and devices.toml has the ports that each device may open; examples/server.toml and examples/device.toml have every word',
  },
  {
    what: "a file of frp",
    file: `bindPort = 7000\n`,
    says:
      'server.toml:1:1: this looks like a file of frp; here it is listen = "0.0.0.0:7443", and devices.toml has the ports that each device may open; examples/server.toml and examples/device.toml have every word',
  },
  {
    what: "an old file of frp",
    file: `[common]\nbind_port = 7000\n`,
    says:
      'server.toml:2:1: this looks like a file of frp; here it is listen = "0.0.0.0:7443", and devices.toml has the ports that each device may open; examples/server.toml and examples/device.toml have every word',
  },
  {
    what: "JSON",
    file: `{ "listen": "0.0.0.0:7443" }\n`,
    says:
      'server.toml:1:1: not TOML: illegal character in key; a line is KEY = VALUE, with quotes around a text: KEY = "TEXT"',
  },
  {
    what: "YAML",
    file: `---\nlisten: 0.0.0.0:7443\n`,
    says:
      'server.toml:1:4: not TOML: illegal character in key; a line is KEY = VALUE, with quotes around a text: KEY = "TEXT"',
  },
  {
    what: "a folder as devices.toml",
    args: ["--devices", "FOLDER"],
    says: "Cannot use FOLDER: it is a folder; name a file in it",
  },
  {
    what: "devices.toml in a folder that is not there",
    args: ["--devices", "FOLDER/no/devices.toml"],
    says: "Cannot use no/devices.toml: the folder no is not there",
  },
]);
