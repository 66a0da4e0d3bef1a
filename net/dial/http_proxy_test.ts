import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_PROXY_ANSWER } from "../limits.ts";
import { parseAddress } from "../../protocol/address.ts";
import { connectThroughProxy, parseProxy, type ProxyCredentials, ProxyError, proxyFor } from "./http_proxy.ts";
import { FakeDuplex } from "../../relay/_fakes_test.ts";
import { settled } from "../../tests/rig/wait.ts";
import { test } from "../../tests/rig/test.ts";

const ADDRESS = { host: "proxy.example", port: 3128 };
const text = (value: string) => new TextEncoder().encode(value);

test("a proxy is written as a URL or as an address, with credentials or without", () => {
  const credentials = { user: "me", password: "pa:ss" };
  assert.deepEqual(parseProxy("proxy.example:3128"), { address: ADDRESS });
  assert.deepEqual(parseProxy("http://proxy.example:3128"), { address: ADDRESS });
  assert.deepEqual(parseProxy(" HTTP://proxy.example:3128/ "), { address: ADDRESS });
  assert.deepEqual(parseProxy("http://me:pa:ss@proxy.example:3128"), { address: ADDRESS, credentials });
  assert.deepEqual(parseProxy("me:pa:ss@proxy.example:3128"), { address: ADDRESS, credentials });
  assert.deepEqual(parseProxy("http://me@[::1]:3128"), {
    address: { host: "::1", port: 3128 },
    credentials: { user: "me", password: "" },
  });
  assert.deepEqual(parseProxy("http://m%40e:p%3Aa%2f%C3%A9@p@proxy.example:3128").credentials, {
    user: "m@e",
    password: "p:a/é@p",
  });
});

for (
  const [proxy, line] of [
    ["https://me:secret@proxy.example:3128", /^"https:\/\/…@proxy.example:3128" is no HTTP proxy; .*http:/],
    ["socks5://me:secret@proxy.example:1080", /^"socks5:.* is no HTTP proxy/],
    ["http://me:secret@proxy.example", /has no port.*as in http:\/\/proxy.example:3128$/],
    ["http://me:secret@proxy.example:0", /its port is 0/],
    ["http://me:secret@proxy.example:99999", /is not a port/],
    ["http://me:secret@:3128", /has no host/],
    ["http://me:secret@pro xy:3128", /neither a host name nor an IP address/],
    ["http://me:secret@proxy.example:3128/path", /is not a port/],
    ["me%:secret@proxy.example:3128", /have a % that is no %XX/],
    ["me%3A:secret@proxy.example:3128", /have a character that cannot be sent/],
    ["me:secret%0d%0aX@proxy.example:3128", /have a character that cannot be sent/],
    ["", /is no proxy/],
  ] as const
) {
  test(`not a proxy, and the credentials are not told: ${JSON.stringify(proxy)}`, () => {
    assert.throws(
      () => parseProxy(proxy),
      (error) => error instanceof SyntaxError && line.test(error.message) && !/secret|me[:%]/.test(error.message),
    );
  });
}

/** The proxy that these variables name for a server. */
function chosen(server: string, variables: Record<string, string>): string | undefined {
  return proxyFor(parseAddress(server), (name) => variables[name])?.address.host;
}

test("the environment's proxy is taken, in lower case first, and empty is not set", () => {
  assert.equal(chosen("relay.example:7443", {}), undefined);
  assert.equal(chosen("relay.example:7443", { HTTPS_PROXY: "upper:1" }), "upper");
  assert.equal(chosen("relay.example:7443", { HTTPS_PROXY: "upper:1", https_proxy: "lower:1" }), "lower");
  assert.equal(chosen("relay.example:7443", { HTTPS_PROXY: "upper:1", https_proxy: "" }), "upper");
  assert.equal(chosen("relay.example:7443", { HTTPS_PROXY: "" }), undefined);
  assert.equal(chosen("relay.example:7443", { HTTP_PROXY: "other:1", http_proxy: "other:1" }), undefined);
  assert.equal(chosen("relay.example:7443", { HTTPS_PROXY: "p:1", NO_PROXY: "relay.example", no_proxy: "x" }), "p");
  assert.equal(chosen("relay.example:7443", { HTTPS_PROXY: "p:1", NO_PROXY: "relay.example" }), undefined);
});

test("a variable that names no proxy is an error with its name, unless the server is an exception", () => {
  const env = (name: string) => ({ HTTPS_PROXY: "https://me:secret@proxy:1" })[name];
  assert.throws(
    () => proxyFor({ host: "relay.example", port: 1 }, env),
    (error) => error instanceof SyntaxError && /^HTTPS_PROXY: /.test(error.message) && !/secret/.test(error.message),
  );
  assert.equal(chosen("relay.example:1", { HTTPS_PROXY: "https://proxy:1", NO_PROXY: "*" }), undefined);
});

for (
  const [exceptions, direct, proxied] of [
    ["*", ["relay.example:1", "10.0.0.1:1", "[::1]:1"], []],
    ["relay.example", ["relay.example:1", "RELAY.example:1", "a.relay.example:1"], ["xrelay.example:1", "example:1"]],
    [".example.com", ["example.com:1", "a.example.com:1", "a.b.example.com.:1"], ["notexample.com:1", "com:1"]],
    ["Example.COM.", ["example.com:1", "a.example.com:1"], ["example.org:1"]],
    [" a.example,b.example  c.example,, ", ["a.example:1", "b.example:1", "c.example:1"], ["d.example:1"]],
    ["relay.example:7443", ["relay.example:7443", "a.relay.example:7443"], ["relay.example:443"]],
    ["relay.example:x,relay.example:99999", [], ["relay.example:7443"]],
    ["10.0.0.1", ["10.0.0.1:1"], ["10.0.0.11:1", "110.0.0.1:1"]],
    ["0.0.1", [], ["10.0.0.1:1"]],
    ["10.0.0.1:80", ["10.0.0.1:80"], ["10.0.0.1:81"]],
    ["10.0.0.0/8", ["10.255.1.2:1"], ["11.0.0.1:1", "138.0.0.1:1", "[a00::]:1"]],
    ["192.168.4.0/23", ["192.168.4.1:1", "192.168.5.255:1"], ["192.168.6.0:1", "192.168.3.255:1"]],
    ["10.0.0.1/32,0.0.0.0/33", ["10.0.0.1:1"], ["10.0.0.2:1"]],
    ["0.0.0.0/0", ["1.2.3.4:1"], ["[::1]:1", "relay.example:1"]],
    ["::1", ["[::1]:1", "[0:0:0:0:0:0:0:1]:1"], ["[::2]:1"]],
    ["[::1]", ["[::1]:1"], ["[::2]:1"]],
    ["[::1]:80", ["[::1]:80"], ["[::1]:81"]],
    ["2001:db8::/33", ["[2001:db8:7fff::1]:1"], ["[2001:db8:8000::1]:1", "[2001:db9::1]:1"]],
    [".,/8,[,:80", [], ["relay.example:80", "10.0.0.1:80"]],
  ] as const
) {
  test(`exceptions from the proxy: ${JSON.stringify(exceptions)}`, () => {
    const variables = { https_proxy: "proxy:1", no_proxy: exceptions };
    for (const server of direct) assert.equal(chosen(server, variables), undefined, server);
    for (const server of proxied) assert.equal(chosen(server, variables), "proxy", server);
  });
}

const TARGET = { host: "relay.example", port: 7443 };

/** Lets a proxy answer in these pieces; `null` is the end. */
function ask(answers: (string | null)[], credentials?: ProxyCredentials, target = TARGET) {
  const duplex = new FakeDuplex();
  for (const answer of answers) duplex.feed(answer === null ? null : text(answer));
  return { duplex, done: connectThroughProxy(duplex, target, credentials) };
}

test("the request is CONNECT with the server's address, and credentials if there are any", async () => {
  const ok = "HTTP/1.1 200 OK\r\n\r\n";
  const plain = ask([ok]);
  await plain.done;
  const wanted = "CONNECT relay.example:7443 HTTP/1.1\r\nHost: relay.example:7443\r\n";
  assert.deepEqual(plain.duplex.take(), text(`${wanted}\r\n`));

  const known = ask([ok], { user: "Aladdin", password: "open sesame" }); // RFC 7617 §2
  await known.done;
  assert.deepEqual(
    known.duplex.take(),
    text(`${wanted}Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n`),
  );

  const utf8 = ask([ok], { user: "test", password: "123£" }); // RFC 7617 §2.1
  await utf8.done;
  assert.match(new TextDecoder().decode(utf8.duplex.take()), /: Basic dGVzdDoxMjPCow==\r\n/);

  const v6 = ask([ok], undefined, { host: "2001:db8::1", port: 443 });
  await v6.done;
  assert.deepEqual(v6.duplex.take(), text("CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\r\n"));
});

test("a request that is taken in pieces is sent whole", async () => {
  const duplex = new FakeDuplex();
  duplex.blocked = true;
  const done = connectThroughProxy(duplex, TARGET);
  for (; !duplex.isRead; await settled()) duplex.accept(7);
  assert.deepEqual(duplex.take(), text("CONNECT relay.example:7443 HTTP/1.1\r\nHost: relay.example:7443\r\n\r\n"));
  duplex.feed(text("HTTP/1.1 200 OK\r\n\r\n"));
  await done;
});

test("a host that would write a header of its own is refused, and nothing is sent", async () => {
  const { duplex, done } = ask([], undefined, { host: "a\r\nX: y", port: 1 });
  await assert.rejects(done, SyntaxError);
  assert.equal(duplex.writes, 0);
});

const HEADS = [
  "HTTP/1.1 200 Connection established\r\n\r\n",
  "HTTP/1.0 200\r\nVia: x\r\nContent-Length: 10\r\n\r\n",
  "HTTP/1.1 299 Fine\r\nA: b\r\n\r\n",
  "HTTP/1.1 200 OK\n\n",
  "HTTP/1.1 200 OK\nA: b\n\r\n",
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
];

test("not a byte is read beyond the head of the answer, however it comes", async () => {
  const behind = "\r\n\r\n\nthe server's own words";
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...HEADS), fc.array(fc.integer({ min: 1, max: 9 })), async (head, sizes) => {
      const pieces: string[] = [];
      let rest = head + behind;
      for (const size of sizes) {
        if (rest === "") break;
        pieces.push(rest.slice(0, size));
        rest = rest.slice(size);
      }
      const { duplex, done } = ask([...pieces, ...(rest === "" ? [] : [rest])]);
      await done;
      let left = "";
      const into = new Uint8Array(99);
      while (left.length < behind.length) {
        left += new TextDecoder().decode(into.subarray(0, await duplex.read(into) ?? 0));
      }
      assert.equal(left, behind);
    }),
    { numRuns: 60 },
  );
});

for (
  const [what, answers, credentials, line] of [
    [
      "wants credentials",
      ["HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"],
      false,
      /wants credentials.*"HTTP\/1.1 407/,
    ],
    [
      "wants NTLM or Negotiate",
      ["HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nproxy-authenticate : NTLM\r\nA: Basic\r\n\r\n"],
      false,
      /wants Negotiate or NTLM, and only Basic is supported/,
    ],
    [
      "wants Digest, whatever it is given",
      ['HTTP/1.1 407 No\r\nProxy-Authenticate: Digest realm="a, Basic b", qop = "auth", nonce=x==\r\n\r\n'],
      true,
      /the proxy wants Digest, and only Basic/,
    ],
    [
      "takes Basic among others",
      ['HTTP/1.1 407 No\r\nProxy-Authenticate: Digest realm="a", basic realm="b"\r\n\r\n'],
      false,
      /wants credentials, as in/,
    ],
    [
      "names schemes without end, or none that is one",
      [`HTTP/1.1 407 No\r\nProxy-Authenticate: ${Array.from({ length: 99 }, (_, n) => `S${n} a=b`)}, ${
        "x".repeat(99)
      }\r\n\r\n`],
      false,
      /wants S0 or S1 or S2 or S3 or S4 or S5, and only/,
    ],
    ["refuses them", ["HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"], true, /does not take these credentials/],
    [
      "forbids it",
      ["HTTP/1.1 403 Forbidden\r\nA: b\r\n\r\nbody"],
      true,
      /not connect to relay.example:7443.*403 Forbidden"$/,
    ],
    ["answers without a reason", ["HTTP/1.1 502\r\n\r\n"], false, /"HTTP\/1.1 502"$/],
    ["redirects", ["HTTP/1.1 302 Found\r\nLocation: x\r\n\r\n"], false, /302 Found/],
    ["is an SSH server", ["SSH-2.0-OpenSSH\r\n\r\n"], false, /does not speak HTTP: it said "SSH-2.0-OpenSSH"/],
    ["speaks HTTP/2", ["HTTP/2 200\r\n\r\n"], false, /does not speak HTTP/],
    ["has a status of four digits", ["HTTP/1.1 2000 OK\r\n\r\n"], false, /does not speak HTTP/],
    ["says nothing", [null], false, /^the proxy closed without an answer$/],
    ["stops within its answer", ["HTTP/1.1 200 OK\r\n", null], false, /closed in its answer, after 17 bytes$/],
    ["stops after an answer in between", [`${HEADS[5]!.slice(0, 25)}`, null], false, /closed without an answer$/],
    [
      "writes to the terminal",
      ["HTTP/1.1 403 \x1b[2J\x07\x9b\u202e\r\n\r\n"],
      false,
      /403 \\u001b\[2J\\u0007\\u009b\\u202e"$/,
    ],
    ["says very much", [`HTTP/1.1 403 ${"x".repeat(3_000)}\r\n\r\n`], false, /403 x{10,120}…"$/],
  ] as const
) {
  test(`a proxy that ${what} is an error in one line, without the credentials`, async () => {
    const { done } = ask([...answers], credentials ? { user: "me", password: "secret" } : undefined);
    await assert.rejects(done, (error) => {
      assert(error instanceof ProxyError);
      assert.match(error.message, line);
      assert(!/secret|bWU6/.test(error.message) && !/\p{Cc}/u.test(error.message), error.message);
      return true;
    });
  });
}

test("a head of the greatest length is taken, a longer one is not, and no more of it is read", async () => {
  const head = (length: number) => `HTTP/1.1 200 OK\r\nA: ${"x".repeat(length - 24)}\r\n\r\n`;
  assert.equal(head(MAX_PROXY_ANSWER).length, MAX_PROXY_ANSWER);
  await ask([head(MAX_PROXY_ANSWER)]).done;
  const { duplex, done } = ask([`${head(MAX_PROXY_ANSWER + 1)}!`]);
  await assert.rejects(done, (error) => error instanceof ProxyError && /longer than 8192 bytes/.test(error.message));
  const into = new Uint8Array(9);
  assert.equal(await duplex.read(into), 2);
});

test("answers in between without end are given up", async () => {
  const { done } = ask(Array(1_000).fill("HTTP/1.1 100 Continue\r\n\r\n"));
  await assert.rejects(done, /longer than 8192 bytes/);
});

test("an error of the connection is passed on", async () => {
  const duplex = new FakeDuplex();
  duplex.feed(new Error("reset"));
  await assert.rejects(connectThroughProxy(duplex, TARGET), /^Error: reset$/);
});
