/**
 * Manual pages in troff, with the macros of man(7).
 *
 * @module
 */

/** Text as troff takes it: nothing in it is a request or an escape. */
export function escape(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("'", "\\(aq").replaceAll("`", "\\(ga")
    .replaceAll("^", "\\(ha").replaceAll("~", "\\(ti").replaceAll(/^\./gm, "\\&.");
}

/** A page that is written from its top. */
export class Page {
  readonly #lines: string[] = [];

  /** The page `name`(`section`); `date` is `YYYY-MM-DD`. */
  constructor(name: string, section: number, date: string, version: string) {
    this.#lines.push(
      `.\\" Made from the commands of ${name} by scripts/reference/man_pages.ts`,
      `.TH ${quoted(name.toUpperCase())} ${section} "${date}" ${quoted(`Sallyport ${version}`)} "Sallyport manual"`,
    );
  }

  /** A heading. */
  section(title: string): this {
    return this.#add(`.SH ${quoted(title)}`);
  }

  /** A heading below one. */
  subsection(title: string): this {
    return this.#add(`.SS ${quoted(title)}`);
  }

  /** Paragraphs, with a blank line between two. */
  text(text: string): this {
    for (const [at, paragraph] of text.trim().split(/\n{2,}/).entries()) {
      if (at > 0) this.#add(".PP");
      this.#add(escape(paragraph.replaceAll(/\s*\n\s*/g, " ")));
    }
    return this;
  }

  /** Text whose lines stay as they are. */
  literal(text: string): this {
    const lines = escape(text.replaceAll(/^\n+|\s+$/g, "")).split("\n").map((line) => line === "" ? ".sp" : line);
    const isFirst = /^\.S[HS] /.test(this.#lines.at(-1)!);
    return this.#add(...(isFirst ? [] : [".PP"]), ".nf", ...lines, ".fi");
  }

  /** Words in bold and in italics in turn, as in a synopsis: `bold` first. */
  line(bold: string, italic = ""): this {
    return this.#add(`\\fB${escape(bold)}\\fR${italic === "" ? "" : ` \\fI${escape(italic)}\\fR`}`);
  }

  /** A term in bold, perhaps with a value in italics, and what it means. */
  entry(term: string, value: string | undefined, meaning: string): this {
    return this.#add(".TP").line(term, value).text(meaning);
  }

  /** Ends a list, or begins a paragraph. */
  paragraph(): this {
    return this.#add(".PP");
  }

  /** A line break. */
  break(): this {
    return this.#add(".br");
  }

  #add(...lines: string[]): this {
    this.#lines.push(...lines);
    return this;
  }

  /** The page. */
  toString(): string {
    return `${this.#lines.join("\n")}\n`;
  }
}

function quoted(text: string): string {
  return `"${escape(text).replaceAll('"', "\\(dq")}"`;
}
