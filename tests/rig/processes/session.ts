/**
 * Sessions of clients that have to work, whatever is in between, and after every fault.
 *
 * @module
 */

import assert from "node:assert/strict";
import { digest, noise } from "../bytes.ts";
import type { Service } from "../service.ts";
import { Stream } from "../stream.ts";
import { TempFolder } from "../temp_folder.ts";
import { Child } from "./child.ts";

/** A client of an echo service sends bytes through a host port, gets them back, and leaves. */
export async function echoSession(hostPort: number, size = 100_000): Promise<void> {
  using client = await Stream.connect(hostPort);
  const bytes = noise(size, hostPort);
  const [back] = await Promise.all([client.read(size), client.write(bytes)]);
  assert.equal(await digest(back), await digest(bytes));
}

/** `count` clients of an echo service at once get what they sent, each its own, and go as `leave` does. */
export async function crowdSession(
  hostPort: number,
  count: number,
  leave: (client: Stream) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const clients = await Promise.all(Array.from({ length: count }, () => Stream.connect(hostPort)));
  await Promise.all(clients.map(async (client, at) => {
    using _closed = client;
    for (let round = 0; round < 3; round++) {
      const bytes = noise(20_000 + at, at * 3 + round);
      const [back] = await Promise.all([client.read(bytes.length), client.write(bytes)]);
      assert.equal(await digest(back), await digest(bytes));
    }
    await leave(client);
  }));
}

/** What `nc` sends to a service before it ends arrives whole, 3 times 20 MiB. */
export async function ncSession(hostPort: number, service: Service): Promise<void> {
  using folder = new TempFolder();
  for (let round = 1; round <= 3; round++) {
    const bytes = noise(20 * 1024 * 1024, round);
    await Deno.writeFile(`${folder.path}/sent`, bytes);
    await using nc = Child.start("nc", ["sh", "-c", `nc -N 127.0.0.1 ${hostPort} < ${folder.path}/sent`]);
    using accepted = await service.accept();
    const came = await accepted.readToEnd();
    accepted.close();
    assert.equal(came.length, bytes.length);
    assert.equal(await digest(came), await digest(bytes));
    assert.equal(await nc.end(), 0);
  }
}
