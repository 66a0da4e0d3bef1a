/**
 * What a service manager hears of a server and of a device in processes of their own.
 *
 * @module
 */

import assert from "node:assert/strict";
import { libc } from "../../net/kernel/libc.ts";
import { Datagrams } from "../rig/datagrams.ts";
import { startDevice, startServer, v1DeviceArgs, v1ServerArgs } from "../rig/processes/daemons.ts";
import { folderTest } from "../rig/test.ts";
import { poll } from "../rig/wait.ts";

/** A service manager's ear, and what it has heard. */
class Ear implements Disposable {
  readonly #datagrams: Datagrams;
  readonly env: Record<string, string>;
  heard: string[] = [];

  /** The kernel keeps ten datagrams at most: the watchdog asks for few. */
  constructor(path: string) {
    this.#datagrams = new Datagrams(path);
    this.env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: "4000000" };
  }

  /** Waits until all of these were heard since the last time. */
  async hears(...patterns: RegExp[]): Promise<void> {
    await poll(() => {
      this.heard.push(...this.#datagrams.all().flatMap((text) => text.trimEnd().split("\n")));
      return patterns.every((pattern) => this.heard.some((line) => pattern.test(line)));
    }, () => `${patterns} in ${JSON.stringify(this.heard)}`);
    this.heard = [];
  }

  [Symbol.dispose](): void {
    this.#datagrams[Symbol.dispose]();
  }
}

folderTest("a service manager hears of a server and a device, from their start to their end", async (folder) => {
  using serverEar = new Ear(`${folder}/server`);
  using deviceEar = new Ear(`${folder}/device`);
  await using server = await startServer(v1ServerArgs(["127.0.0.1:22"]), { env: serverEar.env });
  await serverEar.hears(/^READY=1$/, /^STATUS=0 devices, 0 clients$/, /^WATCHDOG=1$/);
  await using device = startDevice(v1DeviceArgs(server.address, ["127.0.0.1:22"]), { env: deviceEar.env });
  await deviceEar.hears(/^WATCHDOG=1$/, /^READY=1$/, /^STATUS=online at /);
  await serverEar.hears(/^STATUS=1 device, 0 clients$/);
  for (const { child } of [server, device]) child.signal("SIGHUP");
  await serverEar.hears(/^RELOADING=1$/, /^MONOTONIC_USEC=\d+$/, /^READY=1$/);
  await deviceEar.hears(/^RELOADING=1$/, /^READY=1$/);
  device.child.signal("SIGTERM");
  assert.equal(await device.child.end(), 0);
  await deviceEar.hears(/^STOPPING=1$/);
  server.child.signal("SIGTERM");
  assert.equal(await server.child.end(), 0);
  await serverEar.hears(/^STOPPING=1$/, /^STATUS=shutting down$/);
}, { ignore: libc() === undefined });
