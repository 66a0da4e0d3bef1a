/**
 * Acts on devices and their links.
 *
 * @module
 */

import { ApiError, readText } from "../../app/admin/api_error.ts";
import { jsonRoute, type Route } from "../../app/admin/route.ts";
import { closed, nullable, Type, words } from "../../app/admin/schema.ts";
import { KEEP_ALIVE_MODES } from "../../protocol/keep_alive.ts";
import { MAX_ATTENTION_MS } from "../../protocol/limits.ts";
import { MAX_DURATION_MS } from "../../base/limits.ts";
import { TAG_PATTERN } from "../../app/admin/selector.ts";
import { MAX_TAG, MAX_TAGS } from "../../app/limits.ts";
import { parseExpiry } from "../state/enroll.ts";
import type { AdminContext } from "./context.ts";
import { demandDevice, demandState } from "./device_routes.ts";
import { Done, KeepAlive, Name, NAMED } from "../../app/admin/shared.ts";

const TAG = Type.String({
  pattern: TAG_PATTERN,
  maxLength: MAX_TAG,
  description: "A word, or two with a colon between, as in site:berlin.",
});

/** The routes. */
export function actRoutes(context: AdminContext): Route[] {
  const { server } = context;
  /** An act that takes a link. */
  const demandDone = (name: string, done: boolean) => {
    if (!done) throw new ApiError("conflict", `"${name}" has no link now`);
    return { done };
  };
  /** An act on the files, which holds when it is answered. */
  const onFiles = async (name: string, act: (state: ReturnType<typeof demandState>) => Promise<unknown>) => {
    const state = demandState(context);
    demandDevice(context, name);
    await act(state);
    await state.applied();
    return { done: true };
  };
  const post = (word: string, id: string, summary: string) => ({
    method: "POST" as const,
    path: `/v1/devices/{name}/${word}`,
    id,
    summary,
    params: NAMED,
    response: Done,
  });
  return [
    jsonRoute({
      ...post("drop", "dropLink", "Ends a device's link; its session, with its clients, waits for the next one."),
      handle({ params: { name } }) {
        demandDevice(context, name);
        return demandDone(name, server.dropLink(name));
      },
    }),
    jsonRoute({
      ...post("mode", "setMode", "Asks a device to go to mode config, which withdraws its services, or run."),
      body: closed({
        mode: words(["config", "run"]),
        drain: Type.Optional(Type.Number({
          minimum: 0,
          maximum: MAX_DURATION_MS,
          description: "Milliseconds that clients may stay on the way to config, while no others come.",
        })),
      }),
      handle({ params: { name }, body: { mode, drain = 0 } }) {
        demandDevice(context, name);
        return demandDone(name, server.setMode(name, mode, drain));
      },
    }),
    jsonRoute({
      ...post("keep-alive", "setKeepAlive", "Sets the longest silence accepted, at either end or both."),
      description: "At the server it holds for links to come, too; what the device is asked for holds for its session.",
      body: closed({
        endpoint: words(["device", "server", "both"], "Whose: the device watches the server, the server the device."),
        ...KeepAlive.properties,
      }),
      handle({ params: { name }, body: { endpoint, ...settings } }) {
        demandDevice(context, name);
        return demandDone(name, server.setKeepAliveSettings(name, settings, endpoint));
      },
    }),
    jsonRoute({
      ...post("keep-alive-way", "setKeepAliveWay", "Sets the keep-alive by the name of a way, at either end or both."),
      body: closed({
        endpoint: words(["device", "server", "both"], "Whose: the device watches the server, the server the device."),
        way: words(KEEP_ALIVE_MODES, "adaptive and metered are slow while nobody waits."),
      }),
      handle({ params: { name }, body: { endpoint, way } }) {
        demandDevice(context, name);
        return demandDone(name, server.setKeepAliveSettings(name, way, endpoint));
      },
    }),
    jsonRoute({
      ...post(
        "attend",
        "attendDevice",
        "Says that somebody looks at a device: its link is probed as for a client meanwhile.",
      ),
      body: closed({
        ms: Type.Integer({ minimum: 1, maximum: MAX_ATTENTION_MS, description: "For how long, in milliseconds." }),
      }),
      handle({ params: { name }, body: { ms } }) {
        demandDevice(context, name);
        return demandDone(name, server.attend(name, ms));
      },
    }),
    jsonRoute({
      ...post("disable", "disableDevice", "Bars a device until it is enabled again."),
      handle: ({ params: { name } }) => onFiles(name, ({ acts }) => acts.setDisabled(name, true)),
    }),
    jsonRoute({
      ...post("enable", "enableDevice", "Lets a disabled device in again."),
      handle: ({ params: { name } }) => onFiles(name, ({ acts }) => acts.setDisabled(name, false)),
    }),
    jsonRoute({
      ...post("revoke", "revokeDevice", "Removes a device: its link ends, and its key is worth nothing."),
      async handle({ params: { name } }) {
        const state = demandState(context);
        if (!await isWaiting(context, name)) demandDevice(context, name);
        await state.acts.revoke(name);
        await state.applied();
        return { done: true };
      },
    }),
    jsonRoute({
      ...post("rename", "renameDevice", "Gives a device another name; its key, its services and its link stay."),
      body: closed({ to: Name }),
      handle: ({ params: { name }, body: { to } }) => onFiles(name, ({ acts }) => acts.rename(name, to)),
    }),
    jsonRoute({
      ...post("tag", "tagDevice", "Gives a device tags, and takes others from it."),
      body: closed({
        add: Type.Optional(Type.Array(TAG, { maxItems: MAX_TAGS })),
        remove: Type.Optional(Type.Array(TAG, { maxItems: MAX_TAGS })),
      }),
      handle: ({ params: { name }, body: { add = [], remove = [] } }) =>
        onFiles(name, ({ acts }) => acts.tag(name, add, remove)),
    }),
    jsonRoute({
      ...post("expire", "expireDevice", "Sets until when a device may link up."),
      body: closed({
        expires: nullable(
          Type.String({ maxLength: 60 }),
          "A date, a time, or a span from now as in 90d; null: for ever.",
        ),
      }),
      handle: ({ params: { name }, body: { expires } }) =>
        onFiles(
          name,
          ({ acts }) =>
            acts.expire(name, expires === null ? undefined : readText(parseExpiry, expires, "body.expires")),
        ),
    }),
  ];
}

/** Whether there is a string that waits for a device of a name. */
async function isWaiting({ state }: AdminContext, name: string): Promise<boolean> {
  return (await state?.enrolments.waiting())?.some(({ device }) => device === name) ?? false;
}
