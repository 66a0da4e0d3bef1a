/**
 * `device join --once`: proves the device to its server, hears which services that would open, and ends.
 *
 * @module
 */

import { ONCE_ANSWER_MS, ONCE_TIMEOUT_MS } from "../limits.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import type { GrantCode } from "../../protocol/v2/wire/messages.ts";
import { UnfinishedError } from "../../app/run.ts";
import type { StartedDevice } from "../device.ts";
import type { V2Config } from "./config.ts";

/** Is given a device at its start, and says whether what happens is still to be told. */
export type Attend = (started: StartedDevice) => () => boolean;

/** What a device is proved with: it offers nothing, and so has nothing to look at either. */
export function configToProve<T extends V2Config>(config: T): T {
  const services = config.services.map(({ named, ...rest }) => ({
    ...rest,
    named: named?.map(({ refuseWhenDown: _watched, ...service }) => service),
  }));
  return { ...config, services, mode: "config" };
}

/**
 * Has a device run by `run` until its server has let it in, and said which services it grants; why it does not is in the log.
 *
 * @returns what there is to say of that, if there is anything.
 * @throws {UnfinishedError} if it is not let in, or granted nothing that it has.
 */
export async function proveOnce(
  run: (attend: Attend) => Promise<void>,
  clock: Clock = systemClock,
): Promise<string | undefined> {
  let proved = false;
  let late = false;
  let why = "";
  let answers: readonly GrantCode[] | undefined;
  let cancel = () => {};
  const attend: Attend = ({ handle, ways }) => {
    const stop = () => handle.shutdown().catch(() => handle.close());
    cancel = clock.after(ONCE_TIMEOUT_MS, () => (late = true, stop()));
    handle.subscribe((event) => {
      if (event.type === "dial-failed") why = `: ${event.error}`;
      if (event.type !== "online" || proved) return;
      proved = true;
      cancel();
      cancel = clock.after(ONCE_ANSWER_MS, stop);
      ways.askGrants().then((codes) => {
        answers = codes;
        return stop();
      });
    });
    return () => !proved;
  };
  try {
    await run(attend);
  } finally {
    cancel();
  }
  if (!proved) {
    const what = late ? `the server did not let this device in within ${ONCE_TIMEOUT_MS / 1000} s` : "ended too early";
    throw new UnfinishedError(
      `${what}${why}; what the string says is stored: join again with it, or run the device, which goes on trying`,
    );
  }
  if (answers === undefined) return "this device is let in; which services are granted, the server did not say";
  if (!answers.includes("granted")) {
    throw new UnfinishedError(
      "this device is let in, and none of its services is granted, as said above; what the string says is stored: " +
        "once that is mended the device runs with it, without another string",
    );
  }
  return undefined;
}
