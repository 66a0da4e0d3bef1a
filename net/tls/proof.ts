/**
 * How a server proves itself to a device in TLS.
 *
 * @module
 */

/** How a server proves itself to a device: not at all, with the key that the device knows, or with a CA's certificate. */
export type ServerSecurity =
  | { readonly kind: "plain" }
  | {
    readonly kind: "pinned";
    readonly serverKey: Uint8Array;
    /** The name to send in the TLS hello (SNI), where something on the way goes by it. @default PINNED_NAME */
    readonly sni?: string;
  }
  | { readonly kind: "pki"; readonly caCerts?: readonly string[] };

/** The same, in TLS. */
export type TlsSecurity = Exclude<ServerSecurity, { kind: "plain" }>;

/** A server did not prove what it had to: it is another one, or somebody is in between. */
export class ServerIdentityError extends Error {
  override readonly name = "ServerIdentityError";
}

/** What the engine can be asked for here would not prove a server. */
export class UnprovableError extends Error {
  /** What it is told apart by where classes do not reach. */
  override readonly name = "UnprovableError";
}

/** What to look at where a server does not speak TLS. */
export const PLAIN_HINT = "does it listen with --plain, or for profile v1?";

/** What a certificate's dates are compared with: it explains more than any word for it. */
export function clockSays(wallClock: number): string {
  return `this machine's clock says ${new Date(wallClock).toISOString().replace(/\.\d+/, "")}`;
}
