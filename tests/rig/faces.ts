/**
 * The faces of all acts and of all that can be seen: the API, the commands, the dashboard, the library. A test demands that
 * none is left out, and that each face is there; `scripts/reference/api_reference.ts` writes the page.
 *
 * @module
 */

import type { Route } from "../../app/admin/route.ts";
import type { DeviceHandle } from "../../device/handle.ts";
import type { DeviceList } from "../../server/devices/list.ts";
import type { DeviceOnServer } from "../../server/handle/served_device.ts";
import type { ServerHandle } from "../../server/server.ts";

/** Where the page is. */
export const FACES_PAGE = "docs/reference/faces.md";

/** A member of the library: of the handle of a server, of the list of its devices, of one of them there, of a device's own. */
export type Member =
  | `server.${keyof ServerHandle & string}`
  | `server.device(name).${keyof DeviceOnServer & string}`
  | `devices.${keyof DeviceList & string}`
  | `device.${keyof DeviceHandle & string}`;

/** The faces of one thing beside the API; nothing where it has none, with the reason why in its place. */
export interface Faces {
  /** The command behind `sallyport server` or `sallyport device`, with the option that is meant, if one is. */
  readonly command: string | undefined;
  /** The button of an act, or the view that shows it. */
  readonly dashboard: string | undefined;
  readonly library: Member | undefined;
}

const faces = (command?: string, dashboard?: string, library?: Member): Faces => ({ command, dashboard, library });

/** A server's, by the ids of its routes. */
export const SERVER_FACES: Readonly<Record<string, Faces>> = {
  dropLink: faces("drop", "Drop link", "server.dropLink"),
  setMode: faces("mode", "Mode config", "server.setMode"),
  setKeepAlive: faces("keepalive --idle-timeout", "Keep-alive", "server.setKeepAliveSettings"),
  setKeepAliveWay: faces("keepalive --way", "Keep-alive", "server.setKeepAliveSettings"),
  attendDevice: faces("attend", "Look closely", "server.attend"),
  disableDevice: faces("disable", "Disable", "devices.put"),
  enableDevice: faces("enable", "Enable", "devices.put"),
  revokeDevice: faces("revoke", "Revoke", "devices.remove"),
  renameDevice: faces("rename", "Rename", "devices.put"),
  tagDevice: faces("tag", "Tags", "devices.put"),
  expireDevice: faces("expire", "Expiry", "devices.put"),
  grantService: faces("service add", "Add a service", "devices.put"),
  moveService: faces("service move", "Move", "devices.put"),
  withdrawService: faces("service remove", "Remove", "devices.put"),
  drainServer: faces("drain", "Drain", "server.drain"),
  undrainServer: faces("drain --undo", "Undrain", "server.undrain"),
  drainDevice: faces("drain", "Drain", "server.drain"),
  undrainDevice: faces("drain --undo", "Undrain", "server.undrain"),
  reload: faces("reload", "Reload"),
  openService: faces("open", "Open", "server.openService"),
  closeService: faces("shut", "Shut", "server.closeService"),
  connectDevice: faces("connect", "Reach an address", "server.device(name).connect"),
  enroll: faces("enroll", "Enroll"),
  closeClient: faces("close", "Close", "server.closeClient"),
  getServer: faces("status", "Server", "server.listeners"),
  listDevices: faces("devices", "Devices", "server.devices"),
  getDevice: faces("devices", "Devices", "server.device(name).status"),
  listClients: faces("clients", "Clients", "server.clients"),
  getClient: faces("clients", "Clients", "server.clients"),
  listEvents: faces("events", "Events", "server.subscribe"),
  streamEvents: faces("events --follow", "Events", "server.subscribe"),
  listOpenings: faces("openings", "Devices", "server.openings"),
  listRefusals: faces("refusals", "Refusals", "server.refusals"),
  listEnrolments: faces("devices", "Server"),
  listAudit: faces("audit", "Audit"),
  getHistory: faces(undefined, "Server"),
  getDeviceHistory: faces(undefined, "Devices"),
  getMetrics: faces(),
  getHealth: faces(),
  getReady: faces(undefined, undefined, "server.ready"),
};

/** A device's. It has no dashboard of its own. */
export const DEVICE_FACES: Readonly<Record<string, Faces>> = {
  setMode: faces("mode", undefined, "device.setMode"),
  setKeepAlive: faces("keepalive --idle-timeout", undefined, "device.setKeepAliveSettings"),
  setKeepAliveWay: faces("keepalive --way", undefined, "device.setKeepAliveSettings"),
  reconnect: faces("reconnect", undefined, "device.reconnect"),
  reload: faces("reload"),
  putService: faces("service add", undefined, "device.putService"),
  removeService: faces("service remove", undefined, "device.takeService"),
  closeClient: faces("close", undefined, "device.closeClient"),
  getDevice: faces("status", undefined, "device.status"),
  listServices: faces("service list", undefined, "device.status"),
  listClients: faces("clients", undefined, "device.clients"),
  listEvents: faces("events", undefined, "device.subscribe"),
  streamEvents: faces("events --follow", undefined, "device.subscribe"),
  getMetrics: faces(),
  getHealth: faces(),
  getReady: faces(undefined, undefined, "device.ready"),
};

/** The page, before it is formatted. */
export function facesPage(server: readonly Route[], device: readonly Route[]): string {
  return [
    "# The faces of each act",
    "",
    "What can be done and seen, and how: by the [admin API](../operate/admin.md), by [commands](commands.md), by the",
    "[dashboard](../operate/dashboard.md) and by the [library](../how-to/library.md). A program that uses the library keeps its own list of",
    "devices, `devices` below, and its own configuration.",
    "",
    "## Of a server",
    "",
    ...table("server", server, SERVER_FACES),
    "",
    "## Of a device",
    "",
    ...table("device", device, DEVICE_FACES),
    "",
  ].join("\n");
}

function table(role: string, routes: readonly Route[], of: Readonly<Record<string, Faces>>): string[] {
  const code = (text: string | undefined, before = "") => text === undefined ? "–" : `\`${before}${text}\``;
  const withDashboard = role === "server";
  const heads = ["API", "command", ...(withDashboard ? ["dashboard"] : []), "library"];
  const rows = routes.filter(({ id }) => of[id]).toSorted((a, b) =>
    Number(a.method === "GET") - Number(b.method === "GET")
  )
    .map(({ id, method, path }) => {
      const { command, dashboard, library } = of[id]!;
      const shown = method === "GET" ? dashboard : dashboard && `“${dashboard}”`;
      return [
        code(`${method} ${path}`),
        code(command, `sallyport ${role} `),
        ...(withDashboard ? [shown ?? "–"] : []),
        code(library),
      ];
    });
  return [heads, heads.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}
