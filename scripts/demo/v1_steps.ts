/**
 * The demo's steps on wire profile v1: the same relay in the ReadyAgent's words, frame by frame.
 *
 * @module
 */

import { LineClient } from "./lines/client.ts";
import type { Route } from "./picture.ts";
import { DemoError } from "./processes.ts";
import type { Stage } from "./stage.ts";
import { forward, type V1Relay } from "./v1_relay.ts";

/** What the steps work on. */
export interface V1Cast {
  /** Screen, frames and processes. */
  readonly stage: Stage;
  /** Server, tap and device. */
  readonly relay: V1Relay;
  /** The way to the built-in service. */
  readonly lines: Route;
}

/** The whole life of a link, with each of its frames. */
export async function originalProtocol({ stage: { screen, frames }, relay, lines }: V1Cast): Promise<void> {
  screen.step("The same in the ReadyAgent's protocol, v1, frame by frame: no key, no TLS, 256 clients");
  screen.command(`sallyport server --profile v1 --listen 127.0.0.1:0 --forward ${forward(lines)}`);
  screen.command(
    `sallyport device --profile v1 --server 127.0.0.1:${relay.tap.port} --service ${lines.local}`,
  );
  frames.show(1);
  relay.dial();
  for (const line of await relay.online()) screen.note(line);
  screen.note(`a client dials 127.0.0.1:${lines.hostPort}`);
  frames.show(8);
  const client = await LineClient.connect(lines.hostPort);
  const text = "open sesame";
  if (await client.echo(text) !== text) throw new DemoError("the echo came back wrong");
  await client.quit();
  await relay.clientEnded();
  frames.show(0);
  await relay.stop();
  screen.ok("that was the whole wire; server and device have ended in order, with exit code 0");
}
