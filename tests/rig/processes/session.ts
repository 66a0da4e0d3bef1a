/**
 * The session that has to work after every fault.
 *
 * @module
 */

import assert from "node:assert/strict";
import { digest, noise } from "../bytes.ts";
import { Stream } from "../stream.ts";

/** A client of an echo service sends bytes through a host port, gets them back, and leaves. */
export async function echoSession(hostPort: number, size = 100_000): Promise<void> {
  using client = await Stream.connect(hostPort);
  const bytes = noise(size, hostPort);
  const [back] = await Promise.all([client.read(size), client.write(bytes)]);
  assert.equal(await digest(back), await digest(bytes));
}
