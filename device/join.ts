/**
 * Joining a server with its one string, for programs: what `device join` does, but for the files.
 *
 * @module
 */

import { decodeEnrolment } from "../protocol/enrolment.ts";
import { text as checkText } from "../relay/option_check.ts";
import { connectDevice } from "./device.ts";
import type { DeviceHandle } from "./handle.ts";
import type { V2DeviceOptions } from "./options.ts";

/** What an enrolment string says of the options of `connectDevice`. */
export type EnrolmentOptions = Required<
  Pick<V2DeviceOptions, "profile" | "server" | "serverKey" | "security" | "enrolment">
>;

/** Options of {@linkcode joinFromString}: all that the string does not say. */
export type JoinOptions = Omit<V2DeviceOptions, keyof EnrolmentOptions>;

/**
 * Reads an enrolment string into options of `connectDevice`: the server's addresses and key, and the token.
 *
 * @throws {SyntaxError} with what was wrong, without the string itself, which is a secret.
 */
export async function enrolmentOptions(text: string): Promise<EnrolmentOptions> {
  checkText(text, "text");
  const { serverKey, security, addresses, tokenId, tokenSecret } = decodeEnrolment(text);
  return {
    profile: "v2",
    server: addresses,
    serverKey,
    security,
    enrolment: { id: tokenId, key: await tokenKey(tokenSecret) },
  };
}

/** What a device proves to have of a token: the SHA-256 of its secret. */
export async function tokenKey(secret: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(secret)));
}

/**
 * Joins the server that printed an enrolment string (`server enroll`), and dials it again for ever when the link is lost.
 *
 * The string lets one key in, once; with the same identity it may be given again, at every start. Where the server has
 * refused it for good, the handle is `closed`, its `ready` rejects, and its `status.goodbye` says why.
 *
 * @throws {SyntaxError} if the string is none, without the string itself, which is a secret.
 * @throws {TypeError} or {RangeError} with the name and the value of an option that cannot be.
 *
 * @example
 * ```ts
 * import { createIdentity, encodeEnrolment, joinFromString, parseAddress, parseNamedService } from "@sallyport/sallyport";
 *
 * // What `server enroll gw1 --service ssh=0.0.0.0:2201` printed; here it is made up.
 * const text = encodeEnrolment({
 *   serverKey: (await createIdentity()).publicKey,
 *   tokenId: new Uint8Array(8),
 *   tokenSecret: new Uint8Array(16),
 *   security: "pinned",
 *   addresses: [parseAddress("127.0.0.1:7443")],
 * });
 *
 * const device = await joinFromString(text, {
 *   identity: await createIdentity(), // keep it: identityToPem, identityFromPem
 *   services: [parseNamedService("ssh=127.0.0.1:22")],
 * });
 * device.close();
 * await device.closed;
 * ```
 */
export async function joinFromString(text: string, options: JoinOptions): Promise<DeviceHandle> {
  return connectDevice({ ...options, ...await enrolmentOptions(text) });
}
