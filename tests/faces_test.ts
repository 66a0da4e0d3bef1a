/**
 * Every act, and all that can be seen, by every face: the API, the commands, the dashboard, the library.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type CommandNode, readCommand } from "../app/completion/tree.ts";
import type { Route } from "../app/admin/route.ts";
import { createIdentity } from "../net/tls/identity.ts";
import { sallyportCommand } from "../main.ts";
import { connectDevice, DeviceList } from "../mod.ts";
import { DASHBOARD } from "../server/dashboard/files.ts";
import { deviceRoutes, ofServer, serverRoutes } from "./rig/api_reference.ts";
import { engineChoice } from "./rig/engine.ts";
import { DEVICE_FACES, type Faces, SERVER_FACES } from "./rig/faces.ts";
import { test } from "./rig/test.ts";

/** Demands that a table has all routes and no others. */
function demandAll(routes: readonly Route[], faces: Readonly<Record<string, Faces>>): void {
  const ids = routes.map(({ id }) => id);
  assert.deepEqual(ids.filter((id) => !faces[id]), [], "each route has its faces");
  assert.deepEqual(Object.keys(faces).filter((id) => !ids.includes(id)), [], "each is of a route");
}

const PROGRAM = readCommand(await sallyportCommand());

/** Demands that a command is there, with its option. */
function demandCommand(role: string, text: string): void {
  const words = text.split(" ");
  const option = words.find((word) => word.startsWith("--"));
  let node: CommandNode | undefined = PROGRAM;
  for (const word of [role, ...words.filter((word) => word !== option)]) {
    node = node?.commands.find(({ name }) => name === word);
  }
  assert.ok(node, `there is no command ${role} ${text}`);
  if (option === undefined) return;
  assert.ok(node.options.some(({ flag }) => flag === option), `${role} ${text} has no such option`);
}

test("every act of a server has its command, its button and its member of the library", async () => {
  const routes = await serverRoutes();
  demandAll(routes, SERVER_FACES);
  const scripts = DASHBOARD.filter(({ path }) => path.endsWith(".js")).map(({ text }) => text).join("\n");
  const page = DASHBOARD.find(({ path }) => path === "/")!.text;
  const unseen: string[] = [];
  for (const { id, method, path } of routes) {
    const { command, dashboard } = SERVER_FACES[id]!;
    if (command !== undefined) demandCommand("server", command);
    if (method !== "GET") {
      assert.ok(command, `${id} has a command`);
      assert.ok(dashboard, `${id} has a button`);
      const word = new RegExp(`word: (.* \\? )?"${dashboard}"|"${dashboard}", \\(\\)|: "${dashboard}",`);
      assert.match(scripts, word, `the dashboard has no button ${dashboard}`);
      const end = path.split("/").at(-1)!;
      if (!scripts.includes(`/${end}\``) && !scripts.includes(`/${end}"`) && !scripts.includes(`"${end}"`)) {
        unseen.push(path);
      }
    } else if (dashboard !== undefined) {
      assert.ok(page.includes(`>${dashboard}</a>`), `${id}: there is no view ${dashboard}`);
    }
  }
  assert.deepEqual(unseen, [], "the dashboard asks for all of them");
});

test("every act of a device has its command and its member of the library", () => {
  const routes = deviceRoutes();
  demandAll(routes, DEVICE_FACES);
  for (const { id, method } of routes) {
    const { command } = DEVICE_FACES[id]!;
    if (command !== undefined) demandCommand("device", command);
    else assert.equal(method, "GET", `${id} has a command`);
  }
});

test("the members of the library are there", async () => {
  const identity = await createIdentity();
  const device = connectDevice({
    profile: "v2",
    engine: engineChoice,
    server: { host: "127.0.0.1", port: 1 },
    serverKey: identity.publicKey,
    security: "plain",
    identity,
    services: [],
  });
  device.ready.catch(() => {}); // nobody is there
  try {
    await ofServer(({ server }) => {
      const objects: Record<string, object> = {
        "server": server,
        "server.device(name)": server.device("gw1"),
        "devices": new DeviceList(),
        "device": device,
      };
      for (const { library } of [...Object.values(SERVER_FACES), ...Object.values(DEVICE_FACES)]) {
        if (library === undefined) continue;
        const at = library.lastIndexOf(".");
        assert.ok(library.slice(at + 1) in objects[library.slice(0, at)]!, library);
      }
    });
  } finally {
    device.close();
    await device.closed;
  }
});
