/**
 * One end of a link played by the test itself, frame by frame, against our server or our device.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { ServeOptions, V1DeviceOptions } from "../../../mod.ts";
import { CLOSE, CONNECT, describeFrame, type Frame, LISTEN, NaiveLink } from "../naive_v1/link.ts";
import { startV1Device, startV1Server, type TestDevice, type V1Server } from "./relay.ts";
import { within } from "../wait.ts";
import { portOf } from "../ports.ts";

/** A link on which each frame is expected. */
export class ScriptedLink extends NaiveLink {
  /** The next frame, which has to be of this command and client. */
  async expect(command: number, id: number): Promise<Frame> {
    const frame = await this.next();
    const wanted = describeFrame({ command, id, size: frame.size });
    assert.equal(describeFrame(frame), wanted);
    return frame;
  }

  /** The next frame, whatever it is. */
  async next(): Promise<Frame> {
    const frame = await within(this.readFrame(), "a frame");
    assert.ok(frame, "The link ended where a frame was expected");
    return frame;
  }

  /** The next CONNECT's client id; ids differ from run to run of a link. */
  async expectConnect(): Promise<number> {
    const { id } = await this.next().then((frame) => {
      assert.equal(frame.command, CONNECT, describeFrame(frame));
      return frame;
    });
    return id;
  }

  /** Whether all was said: the link ends here, without another frame. */
  async expectEnd(): Promise<void> {
    const frame = await within(this.readFrame(), "the end of the link");
    assert.equal(frame && describeFrame(frame), null);
  }

  /**
   * Waits until all that was sent has been taken in, by a frame that the peer answers: a CLOSE for a client that never
   * was is answered by our server.
   */
  async settled(unusedId: number): Promise<void> {
    await this.send(CLOSE, unusedId);
    await this.expect(CLOSE, unusedId);
  }
}

/** Dials a server and says LISTEN. */
export async function dialAsDevice(serverPort: number): Promise<ScriptedLink> {
  const link = new ScriptedLink(await Deno.connect({ hostname: "127.0.0.1", port: serverPort }));
  await link.send(LISTEN, 0);
  return link;
}

/** Our server, with a device that the test plays. */
export interface ScriptedDevice extends AsyncDisposable {
  readonly server: V1Server;
  /** The device's end of the link. */
  readonly link: ScriptedLink;
  /** Where clients connect, in the order of the targets. */
  readonly hostPorts: readonly number[];
}

/** Starts our server and links a device that the test plays. */
export async function playDevice(
  targets: readonly string[],
  options: Omit<ServeOptions, "listen"> = {},
): Promise<ScriptedDevice> {
  const server = await startV1Server(targets, options);
  const link = await dialAsDevice(server.port);
  const hostPorts: number[] = [];
  for (const _ of targets) hostPorts.push(portOf((await server.events.next("host-open")).hostAddress));
  return {
    server,
    link,
    hostPorts,
    async [Symbol.asyncDispose]() {
      link.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** A server that the test plays, and our device. */
export interface ScriptedServer extends AsyncDisposable {
  readonly device: TestDevice;
  /** The server's end of the device's first link, behind its LISTEN. */
  readonly link: ScriptedLink;
  /** The server's end of the next link, ahead of its LISTEN. */
  accept(): Promise<ScriptedLink>;
}

/** Starts our device and takes its first link, played by the test. */
export async function playServer(
  services: readonly string[],
  options: Partial<V1DeviceOptions> = {},
): Promise<ScriptedServer> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const links: ScriptedLink[] = [];
  const accept = async () => {
    const link = new ScriptedLink(await within(listener.accept(), "the device's dial"));
    links.push(link);
    return link;
  };
  const device = startV1Device(listener.addr.port, services, options);
  const link = await accept();
  await link.expect(LISTEN, 0);
  return {
    device,
    link,
    accept,
    async [Symbol.asyncDispose]() {
      await device[Symbol.asyncDispose]();
      for (const link of links) link.close();
      listener.close();
    },
  };
}
