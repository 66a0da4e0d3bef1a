/**
 * `deno task demo`: a server, a device and small real services on this machine, and real clients through the relay; on
 * wire profile v2, then a short look at v1.
 *
 * Needs nothing but Deno. With OpenSSH at hand, `ssh` and `scp` are the clients; otherwise, and with `--no-ssh`, a
 * built-in service and its client do it alone. What it starts and writes is gone in the end, also after Ctrl-C.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { describeError } from "../base/errors.ts";
import { freePort } from "../tests/rig/ports.ts";
import { canBus, Endpoints, serialConsole } from "./demo/endpoint_steps.ts";
import { picture } from "./demo/picture.ts";
import { DemoError } from "./demo/processes.ts";
import { PrivateSsh } from "./demo/ssh.ts";
import { Stage } from "./demo/stage.ts";
import { V1Relay } from "./demo/v1_relay.ts";
import { originalProtocol } from "./demo/v1_steps.ts";
import { V2Relay } from "./demo/v2_relay.ts";
import {
  client,
  copy,
  cuts,
  ending,
  localRoute,
  refusals,
  routesOf,
  silence,
  sshLogin,
  threeCommands,
  type V2Cast,
} from "./demo/v2_steps.ts";

/** Longest time for what a fresh machine fetches once, and for the demo itself, in milliseconds. */
const FETCH_MS = 180_000;
const DEMO_MS = 60_000;

const MAIN = `${import.meta.dirname}/../main.ts`;
const LINE_SERVICE = `${import.meta.dirname}/demo/lines/service.ts`;

/** The demo was told to end. */
class Interrupted extends Error {}

const { values } = parseArgs({
  args: Deno.args.filter((arg) => arg !== "--"),
  options: { "no-ssh": { type: "boolean", default: false } },
});
Deno.exit(await main(!values["no-ssh"]));

async function main(withSsh: boolean): Promise<number> {
  const stage = new Stage();
  const stop = Promise.withResolvers<never>();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => stop.reject(new Interrupted(signal)));
  }
  try {
    await Promise.race([play(stage, withSsh, (error) => stop.reject(error)), stop.promise]);
    return 0;
  } catch (error) {
    const where = stage.screen.current;
    stage.screen.mute();
    const why = error instanceof Interrupted
      ? `ended by ${error.message}`
      : `failed (${where}): ${describeError(error)}`;
    Deno.stderr.writeSync(new TextEncoder().encode(`\ndemo ${why}\n`));
    return error instanceof Interrupted ? 130 : 1;
  } finally {
    await stage.end();
  }
}

async function play(stage: Stage, withSsh: boolean, fail: (error: Error) => void): Promise<void> {
  const { screen } = stage;
  screen.title("Sallyport", "Clients reach services on a device that has no public address, through a relay.");
  await stage.processes.run(
    "fetching the packages",
    [Deno.execPath(), "cache", "--quiet", MAIN, LINE_SERVICE],
    FETCH_MS,
  );
  const deadline = setTimeout(() => fail(new DemoError(`it took more than ${DEMO_MS / 1000} s`)), DEMO_MS);
  const [localPort, clients] = await Promise.all([startLineService(stage), withSsh ? startSsh(stage) : undefined]);
  const lines = localRoute("lines", "lines", localPort);
  const ssh = clients && { clients, route: localRoute("ssh, scp", "ssh", clients.port) };
  using endpoints = Endpoints.open(stage);
  const routes = routesOf({ lines, ssh, endpoints });
  const onFault = (why: string) => fail(new DemoError(why));
  const relay = await V2Relay.start(stage, onFault);
  screen.picture(picture(routes, relay.listenPort, relay.tap.port));
  const figures: [name: string, value: string, remark: string][] = [];
  const cast: V2Cast = { stage, relay, lines, ssh, endpoints, measured: (...figure) => figures.push(figure) };
  const enrolment = await threeCommands(cast);
  await client(cast);
  await sshLogin(cast);
  if (endpoints) await serialConsole(stage, endpoints);
  if (endpoints) await canBus(stage, endpoints);
  for (const step of [copy, cuts, silence]) await step(cast);
  await refusals(cast, enrolment);
  await ending(cast);
  const v1Lines = { ...lines, hostPort: freePort() };
  await originalProtocol({ stage, relay: await V1Relay.start(stage, [v1Lines], onFault), lines: v1Lines });
  clearTimeout(deadline);
  screen.heading("Measured on this machine");
  for (const figure of figures) screen.figure(...figure);
  sayNext(stage);
}

async function startLineService({ processes }: Stage): Promise<number> {
  const service = processes.start("line service", [Deno.execPath(), "run", "-A", LINE_SERVICE]);
  const [, port] = await service.says(/^listening (\d+)$/, 10_000);
  return Number(port);
}

/** An OpenSSH of the demo's own, or a line that says why there is none. */
async function startSsh(stage: Stage): Promise<PrivateSsh | undefined> {
  try {
    return await PrivateSsh.start(stage);
  } catch (error) {
    stage.screen.dim(`No ssh here: ${describeError(error)}`.slice(0, 95));
    stage.screen.dim("The built-in service and its client do it alone.");
    return undefined;
  }
}

function sayNext({ screen }: Stage): void {
  const deno = `npx -y deno@${Deno.version.deno} run -A main.ts`;
  screen.heading("With your own machines");
  screen.note("On a host that both sides reach, which is RELAY below:");
  screen.command(`${deno} server`);
  screen.command(`${deno} server enroll gw1 --service ssh=0.0.0.0:2201 --public-address RELAY`);
  screen.note("On the machine to be reached, behind whatever NAT, with the string that enroll printed:");
  screen.command(`${deno} device join 'sp2_…' --service ssh=127.0.0.1:22`);
  screen.note("Then, from anywhere: ssh -p 2201 you@RELAY");
}
