/**
 * `/v1/devices`: those that may link up.
 *
 * @module
 */

import { ApiError, readText } from "../../app/admin/api_error.ts";
import { makePage, pageOf, pageQuery } from "../../app/admin/pages.ts";
import { jsonRoute, type Route } from "../../app/admin/route.ts";
import { closed, Type, words } from "../../app/admin/schema.ts";
import { selector } from "../../app/admin/selector.ts";
import type { AuthorizedDevice } from "../devices/authorized_devices.ts";
import { unknownDeviceText, V1_HAS_NO_DEVICES } from "../devices/edits.ts";
import type { StateView } from "../state/state.ts";
import type { AdminContext } from "./context.ts";
import { deviceFacts } from "./device_facts.ts";
import { NAMED } from "../../app/admin/shared.ts";
import { Device, DEVICE_STATES, LINK_STATES, Selector } from "./schemas.ts";

/** Cursors of the list: a device's place, and its name. */
const CURSOR = "^[0-9]{1,9}:[A-Za-z0-9._-]+$";

/** The routes. */
export function deviceRoutes(context: AdminContext): Route[] {
  const { clock } = context.core.settings;
  return [
    jsonRoute({
      method: "GET",
      path: "/v1/devices",
      id: "listDevices",
      summary: "Devices that may link up, in the order of devices.toml.",
      query: closed({
        ...pageQuery(CURSOR),
        match: Type.Optional(Selector),
        link: Type.Optional(words(LINK_STATES, "Only those whose link is so.")),
        state: Type.Optional(words(DEVICE_STATES, "Only those of which this holds.")),
      }),
      response: pageOf(Device, "Some of the devices."),
      handle({ query: { limit, cursor, match = "*", link, state } }) {
        const all = context.state?.devices.all ?? [];
        const isMeant = readText(selector, match, "query.match");
        const now = clock.wall();
        const start = cursor === undefined ? 0 : placeBehind(all, cursor);
        return makePage({
          from: all.slice(start),
          limit,
          clock,
          describe(device) {
            if (!isMeant(device.name, device.tags)) return undefined;
            const facts = deviceFacts(context, device, now);
            return (link ?? facts.link) === facts.link && (state ?? facts.state) === facts.state ? facts : undefined;
          },
          cursor: (device) => `${all.indexOf(device, start)}:${device.name}`,
        });
      },
    }),
    jsonRoute({
      method: "GET",
      path: "/v1/devices/{name}",
      id: "getDevice",
      summary: "One of them.",
      params: NAMED,
      response: Device,
      handle: ({ params: { name } }) => deviceFacts(context, demandDevice(context, name), clock.wall()),
    }),
  ];
}

/** The device of a name. @throws {ApiError} if there is none. */
export function demandDevice({ state }: AdminContext, name: string): AuthorizedDevice {
  if (!state) throw new ApiError("not-found", `this server ${V1_HAS_NO_DEVICES}`);
  const device = state.devices.byName(name);
  if (!device) throw new ApiError("not-found", unknownDeviceText(name, namesOf(state.devices.all)));
  return device;
}

function* namesOf(devices: Iterable<AuthorizedDevice>): Generator<string> {
  for (const { name } of devices) yield name;
}

/** A test for names of devices, by a selector. @throws {ApiError} if it is none. */
export function selected({ state }: AdminContext, text: string, where: string): (name: string) => boolean {
  const isMeant = readText(selector, text, where);
  return (name) => isMeant(name, state?.devices.byName(name)?.tags);
}

/** The state. @throws {ApiError} if the server has none. */
export function demandState({ state }: AdminContext): StateView {
  if (!state) throw new ApiError("conflict", "this server has no v2 listener, and so no devices by name");
  return state;
}

/** Where to go on: behind the device of the cursor; where it was, if it has gone. */
function placeBehind(all: readonly AuthorizedDevice[], cursor: string): number {
  const colon = cursor.indexOf(":");
  const [at, name] = [Number(cursor.slice(0, colon)), cursor.slice(colon + 1)];
  if (all[at]?.name === name) return at + 1;
  const now = all.findIndex((device) => device.name === name);
  return now < 0 ? at : now + 1;
}
