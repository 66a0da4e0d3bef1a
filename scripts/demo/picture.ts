/**
 * Who talks to whom, with the real addresses.
 *
 * @module
 */

/** One service and the way to it. */
export interface Route {
  readonly client: string;
  /** Where clients reach it on the server. */
  readonly hostPort: number;
  /** Where the device reaches it, as `--service` has it. */
  readonly local: string;
  /** The same, short enough for the picture. @default {local} */
  readonly shown?: string;
  /** What it is. */
  readonly service: string;
}

const LOCALHOST = "127.0.0.1";

/** Clients, server, link, device and services, from left to right. */
export function picture(routes: readonly Route[], listenPort: number, tapPort: number): string[] {
  const rows = routes.map(({ client, hostPort, local, shown = local, service }) => [
    `│ ${client.padEnd(9)}├──▶│ ${address(hostPort)}      │`,
    "                ",
    `│            ├──▶│ ${shown.padEnd(15)} ${service.padEnd(5)}│`,
  ]);
  return [
    ["┌─ clients ┐   ┌─ server ─────────────┐", "                ", "┌─ device ───┐   ┌─ services ───────────┐"],
    ...rows,
    [`└──────────┘   │      ${address(listenPort)} │`, "◀── tap ◀───────", `┤ dials out  │   └──────────────────────┘`],
    ["               └──────────────────────┘", `   ${`:${tapPort}`.padEnd(13)}`, "└────────────┘"],
  ].map((parts) => parts.join(""));
}

function address(port: number): string {
  return `${LOCALHOST}:${port}`.padEnd(15);
}
