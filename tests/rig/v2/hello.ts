/**
 * What a v2 device says first, whoever it is.
 *
 * @module
 */

import { concat } from "../../../protocol/bytes.ts";
import { v2Frame } from "../../../protocol/v2/wire/codec.ts";
import { V2_PREAMBLE, V2Command } from "../../../protocol/v2/wire/commands.ts";
import { FieldWriter } from "../../../protocol/v2/wire/fields.ts";

/** A HELLO that says what a device of these versions would. */
export function hello(versions: readonly [number, number], key: Uint8Array): Uint8Array {
  const fields = new FieldWriter().bytes(1, Uint8Array.from(versions)).uint(2, 4, 0).bytes(3, key)
    .bytes(4, new Uint8Array(32)).uint(5, 8, 0).bytes(6, new Uint8Array(16)).text(128, "a stranger");
  return concat([V2_PREAMBLE, v2Frame(V2Command.HELLO, 0, fields.end())]);
}
