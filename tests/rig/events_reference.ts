/**
 * The reference of events: `scripts/reference/events_reference.ts` writes it from the types and their docstrings, a test
 * demands that it agrees.
 *
 * @module
 */

/** Where it is. */
export const EVENTS_PAGE = "docs/reference/events.md";

/** An event, as its interface has it. */
interface EventFacts {
  /** The text by which it is told apart. */
  readonly type: string;
  /** What happened. */
  readonly text: string;
  readonly facts: readonly { readonly name: string; readonly type: string; readonly text: string }[];
}

const INTERFACE = /\/\*\*\s((?:(?!\*\/)[^])*?)\s*\*\/\nexport interface \w+ \{\n([^]*?)\n\}/g;
const FACT = /\/\*\*\s(.*?)\s\*\/\s+readonly (\w+)(\??): (.*);/g;

/** What is told apart by words that another page has. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  LinkEndReason: "a link's [reason](reasons.md)",
  ChannelEndReason: "a client's [reason](reasons.md)",
  RefusalReason: "a [refusal](reasons.md)",
  GoodbyeCode: "a [goodbye](reasons.md#goodbyes)",
  DeviceMode: "`run`, `config`",
};

/** The events of a module, in its order. */
export function eventsOf(source: string): EventFacts[] {
  return [...source.matchAll(INTERFACE)].flatMap(([, doc = "", body = ""]) => {
    const facts = factsOf(body);
    const type = /^ {2}readonly type: "([\w-]+)";$/m.exec(body)?.[1];
    return type === undefined ? [] : [{ type, text: doc, facts: facts.filter(({ name }) => name !== "type") }];
  });
}

/** The lines between the braces of an interface, each with its docstring. */
export function factsOf(body: string): { readonly name: string; readonly type: string; readonly text: string }[] {
  return [...body.matchAll(FACT)].map(([, text = "", name = "", optional = "", type = ""]) => ({
    name,
    type: typeOf(type) + (optional === "" && !type.includes("undefined") ? "" : ", or none"),
    text,
  }));
}

function typeOf(type: string): string {
  if (type.endsWith(" | null")) return `${typeOf(type.slice(0, -" | null".length))}, or \`null\``;
  const plain = type.replace(/ \| undefined$/, "").replace(/^readonly /, "");
  const elsewhere = ELSEWHERE[plain];
  if (elsewhere !== undefined) return elsewhere;
  if (plain === "string") return "text";
  if (plain === "string[]") return "texts";
  if (plain === "Record<string, string>") return "texts by names";
  if (plain.startsWith("{")) return [...plain.matchAll(/(\w+):/g)].map(([, name]) => `\`${name}\``).join(" and ");
  if (plain === "[number, number]") return "two numbers";
  if (plain === "boolean") return "`true`, `false`";
  if (plain === "true") return "`true`";
  return plain.replaceAll(/"([\w-]+)"/g, "`$1`").replaceAll(" | ", ", ");
}

/** The page, before it is formatted. */
export function eventsPage(): string {
  const read = (file: string) => Deno.readTextFileSync(new URL(`../../${file}`, import.meta.url));
  return [
    "# Events",
    "",
    "What the library's `subscribe` tells, `events` of both commands prints, and `/v1/events` of the " +
    "[admin API](api.md) has; made from the program by `scripts/reference/events_reference.ts`. Each has a `type`, and what is below " +
    "it here. Addresses are texts, spans of time milliseconds; a time of day is milliseconds since 1970 to the library, and " +
    "in JSON a text as in 2026-01-31T12:00:00.000Z. Lines for people have times to the second, and units. How events become lines on stdout and hooks is in " +
    "[output.md](output.md#events).",
    "",
    "## Of a server",
    "",
    ...eventsOf(read("server/events.ts")).flatMap(section),
    "## Of a device",
    "",
    ...eventsOf(read("device/events.ts")).flatMap(section),
  ].join("\n");
}

function section({ type, text, facts }: EventFacts): string[] {
  const rows = facts.map(({ name, type, text }) => `| \`${name}\` | ${type} | ${text} |`);
  const table = rows.length === 0 ? [] : ["| fact | is | meaning |", "| --- | --- | --- |", ...rows, ""];
  return [`### ${type}`, "", text, "", ...table];
}
