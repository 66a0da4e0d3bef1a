/**
 * What the tests of the server's files share. No tests here.
 *
 * @module
 */

import { formatPublicKey } from "../../net/tls/identity.ts";

/** A test in a folder of its own, which leaks nothing. */
export function test(name: string, fn: (folder: string) => void | Promise<void>): void {
  Deno.test({
    name,
    sanitizeOps: true,
    sanitizeResources: true,
    fn: async () => {
      const folder = await Deno.makeTempDir();
      try {
        await fn(folder);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

/** The raw public key of a number; no private key belongs to it. */
export function rawKey(n: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(32).fill(n);
}

/** The same as text. */
export function key(n: number): string {
  return formatPublicKey(rawKey(n));
}
