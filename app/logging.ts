/**
 * Where log lines go: stderr, for people on a terminal and as JSON lines otherwise.
 *
 * @module
 */

import { configureSync, getAnsiColorFormatter, getLogger, getTextFormatter, type LogRecord } from "@logtape/logtape";
import type { Logger } from "../base/logger.ts";
import { stderr } from "./output.ts";
import { printable } from "./printable.ts";
import { WarningLimit } from "./warning_limit.ts";

/** How log lines look; `auto` is text on a terminal and JSON otherwise. */
export type LogFormat = "auto" | "text" | "json";

/** The least that is logged. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Sets up logging for the process, and gives the logger of a scope, `server` or `device`. */
export function setUpLogging(scope: string, format: LogFormat, level: LogLevel): Logger {
  const terminal = Deno.stderr.isTerminal();
  const json = format === "json" || (format === "auto" && !terminal);
  const formatter = json ? jsonFormatter() : textFormatter(terminal && !Deno.noColor);
  const limit = new WarningLimit();
  const sink = (record: LogRecord) => {
    const isUrgent = record.level === "warning" || record.level === "error";
    if (!isUrgent) return stderr.writeSoon(formatter(record).trimEnd());
    const more = limit.take(String(record.rawMessage), record.timestamp);
    if (more === undefined) return;
    if (json && more > 0) stderr.write(formatter({ ...record, properties: { ...record.properties, more } }));
    else stderr.write(formatter(record).trimEnd() + (more > 0 ? ` (and ${more} more like it before)` : ""));
  };
  setLogLevel = (level) =>
    configureSync({
      reset: true,
      sinks: { stderr: sink },
      loggers: [
        { category: ["sallyport"], lowestLevel: level === "warn" ? "warning" : level, sinks: ["stderr"] },
        { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["stderr"] },
      ],
    });
  setLogLevel(level);
  return getLogger(["sallyport", scope]);
}

/** Changes the least that is logged, once logging is set up. */
export let setLogLevel: (level: LogLevel) => void = () => {};

function textFormatter(colors: boolean): (record: LogRecord) => string {
  const options = {
    timestamp: "time" as const,
    timeZone: null,
    category: () => "",
    value: (value: unknown, inspect: (value: unknown, options?: { colors?: boolean }) => string) =>
      typeof value === "string" ? printable(value) : inspect(value, { colors: false }),
  };
  const format = colors
    ? getAnsiColorFormatter({
      ...options,
      format: ({ timestamp, level, message }) => `${timestamp} ${level} ${message}`,
    })
    : getTextFormatter({ ...options, format: ({ timestamp, level, message }) => `${timestamp} ${level} ${message}` });
  return format;
}

/** `time`, `level`, `scope` and `message`, then the facts by their names. */
function jsonFormatter(): (record: LogRecord) => string {
  return ({ timestamp, level, category, message, properties }) =>
    printable(JSON.stringify({
      time: new Date(timestamp).toISOString(),
      level: level === "warning" ? "warn" : level,
      scope: category.slice(1).join("."),
      message: message.map(String).join(""),
      ...properties,
    }));
}
