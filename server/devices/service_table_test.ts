import assert from "node:assert/strict";
import fc from "fast-check";
import { parseDevices } from "./authorized_devices.ts";
import { type DeviceEdit, setExpiry } from "./edits.ts";
import { formatGrantedAddress, parseGrant, parseGrantedAddress, type ServiceGrant } from "./service_grant.ts";
import { addService, moveService, removeService } from "./service_table.ts";
import { key } from "./_state_fixture_test.ts";
import { folderTest } from "../../tests/rig/test.ts";

const BEFORE = `# ours\n[first]\nkey = "${key(8)}"\nservices = { ssh = "127.0.0.9:101" } # theirs\n\n`;
const AFTER = `\n# the last one\n[last]\nkey = "${key(9)}"\n[last.services.ssh]\nlisten = "127.0.0.9:102"\n# the end\n`;

/** The same device with the services ssh and db, in every manner that TOML has. */
const LAYOUTS: Record<string, string> = {
  inline:
    `[gw]\nservices = { ssh = "0.0.0.0:1", db = { listen = "0.0.0.0:2", max-clients = 3 } } # by hand\nkey = "K"\n`,
  tight: `[gw]\nkey = "K"\nservices={ssh="0.0.0.0:1",db={listen="0.0.0.0:2",max-clients=3}}\n`,
  table: `[gw]\nkey = "K"\n\n[gw.services] # these\nssh = "0.0.0.0:1" # one\n# between\n` +
    `db = { listen = "0.0.0.0:2", max-clients = 3 }\n`,
  dotted:
    `[gw]\nservices.ssh = "0.0.0.0:1"\nkey = "K"\nservices.db.listen = "0.0.0.0:2" # two\nservices.db.max-clients = 3\n`,
  tables: `[gw]\nkey = "K"\n[gw.services.ssh]\nlisten = "0.0.0.0:1" # one\n\n[ "gw" . services . db ]\n# before\n` +
    `listen = "0.0.0.0:2"\nmax-clients = 3\n`,
  mixed:
    `[gw]\nkey = "K"\n[gw.services]\nssh = "0.0.0.0:1"\n\n[gw.services.db]\nlisten = "0.0.0.0:2"\nmax-clients = 3\n`,
};

function source(layout: string, newline = "\n"): string {
  return (BEFORE + LAYOUTS[layout]!.replace('"K"', `"${key(1)}"`) + AFTER).replaceAll("\n", newline);
}

function services(text: string): string[] {
  const device = parseDevices("d", text).find(({ name }) => name === "gw")!;
  return device.services.map(({ name, listen, maxClients }) => `${name}=${formatGrantedAddress(listen)} ${maxClients}`)
    .sort();
}

const apply = (edit: DeviceEdit, text: string) => edit(text, "d");
const WEB: ServiceGrant = {
  ...parseGrant("web=[::1]:80"),
  maxClients: 7,
  idleTimeout: 60_000,
  proxyFrom: ["10.0.0.0/8"],
};

for (const layout of Object.keys(LAYOUTS)) {
  folderTest(`services are added, moved and removed where they stand: ${layout}`, async () => {
    for (const newline of ["\n", "\r\n"]) {
      const before = source(layout, newline);
      const added = apply(addService("gw", WEB), before);
      assert.deepEqual(services(added), ["db=0.0.0.0:2 3", "ssh=0.0.0.0:1 undefined", "web=[::1]:80 7"]);
      assert.ok(
        parseDevices("d", added).some((device) =>
          device.services.some((service) => service.proxyFrom?.[0] === "10.0.0.0/8" && service.idleTimeout === 60_000)
        ),
      );
      const moved = apply(moveService("gw", "db", parseGrantedAddress("9-10")), before);
      assert.equal(moved, before.replace('0.0.0.0:2"', '0.0.0.0:9-10"'), "and nothing else");
      const one = apply(removeService("gw", "db"), before);
      assert.deepEqual(services(one), ["ssh=0.0.0.0:1 undefined"]);
      const other = apply(removeService("gw", "ssh"), before);
      assert.deepEqual(services(other), ["db=0.0.0.0:2 3"]);
      const none = apply(removeService("gw", "db"), other);
      assert.deepEqual(services(none), []);
      assert.deepEqual(services(apply(addService("gw", WEB), none)), ["web=[::1]:80 7"]);
      for (const text of [added, one, other, none]) {
        assert.ok(
          text.startsWith(BEFORE.replaceAll("\n", newline)) && text.endsWith(AFTER.replaceAll("\n", newline)),
          text,
        );
      }
      assert.equal(apply(removeService("gw", "web"), added).trim(), before.trim(), "what was added can be taken away");
    }
    await Promise.resolve();
  });
}

folderTest("whatever is done to the services of one device, in any order, comes to what was meant", () => {
  const name = fc.constantFrom("ssh", "db", "web", "a.b");
  const step = fc.oneof(
    fc.record({ what: fc.constant("add" as const), name }),
    fc.record({ what: fc.constant("move" as const), name }),
    fc.record({ what: fc.constant("remove" as const), name }),
  );
  fc.assert(fc.property(fc.constantFrom(...Object.keys(LAYOUTS)), fc.array(step, { maxLength: 8 }), (layout, steps) => {
    let text = source(layout);
    const wanted = new Map([["ssh", "0.0.0.0:1"], ["db", "0.0.0.0:2"]]);
    for (const [at, { what, name }] of steps.entries()) {
      const to = parseGrantedAddress(`127.0.0.1:${1_000 + at}`);
      if (wanted.has(name) === (what === "add")) continue;
      const edit = what === "add"
        ? addService("gw", { name, listen: to })
        : what === "move"
        ? moveService("gw", name, to)
        : removeService("gw", name);
      text = apply(edit, text);
      if (what === "remove") wanted.delete(name);
      else wanted.set(name, formatGrantedAddress(to));
    }
    const found = parseDevices("d", text).find((device) => device.name === "gw")!.services;
    assert.deepEqual(new Map(found.map((service) => [service.name, formatGrantedAddress(service.listen)])), wanted);
    assert.ok(text.startsWith(BEFORE) && text.endsWith(AFTER));
  }));
});

folderTest("a device without services gets its first, and a device without an expiry none twice", () => {
  const bare = `[gw]\nkey = "${key(1)}" # mine\n`;
  assert.deepEqual(services(apply(addService("gw", WEB), bare)), ["web=[::1]:80 7"]);
  assert.deepEqual(services(apply(addService("gw", WEB), bare + "services = {}\n")), ["web=[::1]:80 7"]);
  assert.deepEqual(services(apply(addService("gw", WEB), bare + "[gw.services]\n")), ["web=[::1]:80 7"]);
  assert.deepEqual(services(apply(addService("gw", WEB), bare.trimEnd())), ["web=[::1]:80 7"]);
  const at = Date.UTC(2027, 0, 31);
  const dated = apply(setExpiry("gw", at), bare);
  assert.equal(parseDevices("d", dated)[0]!.expires, at);
  assert.equal(parseDevices("d", apply(setExpiry("gw", at + 86_400_000), dated))[0]!.expires, at + 86_400_000);
  assert.equal(apply(setExpiry("gw", undefined), dated), bare);
  assert.equal(apply(setExpiry("gw", undefined), bare), bare);
});
