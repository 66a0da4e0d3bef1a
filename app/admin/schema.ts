/**
 * Schemas: one source for types, checks at run time, and the OpenAPI document.
 *
 * @module
 */

import { Kind, type TObject, type TSchema, type TUnsafe, Type, TypeRegistry } from "@sinclair/typebox";
import { Value, ValueErrorType } from "@sinclair/typebox/value";

export { type Static, type TObject, type TSchema, Type } from "@sinclair/typebox";

/** Whether a word is one of those of its schema; the library has no kind of its own for that. */
TypeRegistry.Set<{ readonly enum: readonly string[] }>(
  "Words",
  (schema, value) => typeof value === "string" && schema.enum.includes(value),
);

/** One of `words`. */
export function words<const T extends readonly string[]>(words: T, description?: string): TUnsafe<T[number]> {
  return Type.Unsafe<T[number]>({
    [Kind]: "Words",
    type: "string",
    enum: [...words],
    ...(description !== undefined && { description }),
  });
}

/** Where a schema has the words that may be in a list: a symbol, so that it is no part of the document. */
const WORDS = Symbol("words");

/** Whether a text has words of its schema alone, with commas between. */
TypeRegistry.Set<{ readonly [WORDS]: readonly string[] }>(
  "SomeWords",
  (schema, value) => typeof value === "string" && value.split(",").every((word) => schema[WORDS].includes(word)),
);

/** Some of `words`, with commas between. */
export function someOf(words: readonly string[], description: string): TUnsafe<string> {
  const one = words.join("|");
  return Type.Unsafe<string>({
    [Kind]: "SomeWords",
    [WORDS]: words,
    type: "string",
    pattern: `^(${one})(,(${one}))*$`,
    description,
  });
}

/** What `schema` says, or `null` where it is not known or does not hold. */
export function nullable<T extends TSchema>(schema: T, description?: string) {
  return Type.Union([schema, Type.Null()], description === undefined ? {} : { description });
}

/** An object with these properties and no others. */
export function closed<T extends Record<string, TSchema>>(properties: T, description?: string): TObject<T> {
  return Type.Object(properties, { additionalProperties: false, ...(description !== undefined && { description }) });
}

/** Characters of a wrong value that are shown. */
const SHOWN = 60;

/**
 * What is wrong with a value, in one line, if anything is.
 *
 * @param where What it is called, such as `body`.
 */
export function mistakeIn(schema: TSchema, value: unknown, where: string): string | undefined {
  const error = Value.Errors(schema, value).First();
  if (!error) return undefined;
  const parts = error.path.split("/").slice(1);
  const at = [where, ...parts].join(".");
  const name = parts.at(-1) ?? "";
  const above = [where, ...parts.slice(0, -1)].join(".");
  if (error.type === ValueErrorType.ObjectAdditionalProperties) {
    return `${above} has "${name}", which means nothing here`;
  }
  if (error.type === ValueErrorType.ObjectRequiredProperty) return `${above} lacks "${name}"`;
  const text = JSON.stringify(error.value) ?? "nothing";
  const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
  const one: unknown = error.schema["enum"];
  if (Array.isArray(one)) return `${at} is ${shown}; it has to be one of ${one.join(", ")}`;
  const some: unknown = (error.schema as { readonly [WORDS]?: unknown })[WORDS];
  if (Array.isArray(some)) return `${at} is ${shown}; there are ${some.join(", ")}`;
  const { description } = error.schema;
  if (error.type === ValueErrorType.StringPattern && description !== undefined) {
    return `${at} is ${shown}; it is to be: ${description}`;
  }
  return `${at} is ${shown}; ${error.message[0]!.toLowerCase()}${error.message.slice(1)}`;
}
