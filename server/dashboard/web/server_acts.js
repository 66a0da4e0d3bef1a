// @ts-check
/**
 * Acts on the server as a whole: reload, drain, and enrolment of a device.
 *
 * @module
 */

import { post } from "./api.js";
import { show } from "./dialog.js";
import { clock } from "./format.js";
import { drain } from "./link_acts.js";

/** @typedef {import("./acts.js").Act} Act */
/** @typedef {import("./store.js").ServerState} ServerState */
/** @typedef {{ string: string, device: string, validUntil: string, addresses: string[], voided: boolean, warnings: string[] }} Made */

/** The acts that there are for a server as it is now. @param {ServerState} server @returns {Act[]} */
export function actsOnServer({ draining }) {
  return [
    {
      word: "Reload",
      title: "Read the configuration anew?",
      text: "What can change does, and nobody is cut. What takes a new start is said.",
      button: "Reload",
      act: async () => {
        const { changed, restart } = /** @type {{ changed: string[], restart: string[] }} */ (
          await post("v1/server/reload")
        );
        const done = changed.length === 0 ? "Nothing has changed" : `Changed: ${changed.join(", ")}`;
        return `${done}${restart.length === 0 ? "" : `; this takes a new start: ${restart.join(", ")}`}.`;
      },
    },
    drain(undefined, draining),
  ];
}

/** Makes a string that lets a device in. With `device`, a new key for that one. @param {string} [device] @returns {Act} */
export function enroll(device) {
  const isNew = device === undefined;
  return {
    word: isNew ? "Enroll" : "New key",
    title: isNew ? "Enroll a device?" : `Enroll ${device} anew?`,
    text: isNew
      ? "A string is made that lets one device in, once. A string that was made for that name before is void then."
      : `A string is made with which ${device} takes a new key; until it is used, the key of now is good.`,
    button: "Make the string",
    fields: [
      ...(isNew ? [{ name: "device", label: "Its name", required: true }] : []),
      {
        name: "services",
        label: "Its services",
        required: isNew,
        hint: `As in ssh=127.0.0.1:2201, web=0.0.0.0:8080; HOST:PORT is where clients come on this server.${
          isNew ? "" : " Empty: those that it has."
        }`,
      },
      ...(isNew ? [{ name: "comment", label: "Comment" }] : []),
    ],
    act: async (values) => {
      const services = (values["services"] ?? "").split(/[\s,]+/).filter((each) => each !== "");
      const comment = (values["comment"] ?? "").trim();
      const made = /** @type {Made} */ (await post("v1/enrolments", {
        device: device ?? (values["device"] ?? "").trim(),
        ...(services.length > 0 && { services }),
        ...(comment !== "" && { comment }),
        ...(!isNew && { replace: true }),
      }));
      const until = clock(made.validUntil, Date.now());
      await show({
        title: `The string for ${made.device}`,
        text: `For sallyport device join, until ${until}. It is a secret, and shown this once. ` +
          `The device will dial ${made.addresses.join(", ")}.`,
        value: made.string,
        warnings: [...made.warnings, ...(made.voided ? ["The string that was made before is void now."] : [])],
      });
      return `A string for ${made.device} is made.`;
    },
  };
}
