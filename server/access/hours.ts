/**
 * Times of the week at which clients may be there, by the clock on the wall of a place: `Mon-Fri 08:00-18:00 Europe/Berlin`.
 *
 * @module
 */

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const;
const FORM = /^(?:(\S+) +)?(\d\d):(\d\d)-(\d\d):(\d\d) +(\S+)$/;
const MINUTE_MS = 60_000;

/** What a clock on a wall shows. */
interface LocalTime {
  /** 0 for Sunday. */
  readonly day: number;
  /** Minutes since it showed 00:00. */
  readonly minute: number;
}

/** One window, on some days of the week. */
export interface Hours {
  /** By day, from Sunday on, whether it begins on that one. */
  readonly days: readonly boolean[];
  /** The first minute of the day. */
  readonly from: number;
  /** The first minute after it; not above `from` if that is on the next day. */
  readonly to: number;
  /** Whose clock counts, as in the IANA's list. */
  readonly zone: string;
}

/**
 * Parses `[DAYS ]HH:MM-HH:MM ZONE`: days as in `Mon-Fri` or `Sat,Sun`, each day without; up to 24:00; an end that is not
 * after its beginning is on the next day. The zone has to be said: `UTC`, or as in `Europe/Berlin`.
 *
 * @throws {SyntaxError} with what was wrong and what would do.
 */
export function parseHours(text: string): Hours {
  const [, days, fromHour, fromMinute, toHour, toMinute, zone] = FORM.exec(text.trim()) ?? [];
  if (zone === undefined) {
    throw new SyntaxError(
      `"${text}" is not a window; write days, hours and a time zone: Mon-Fri 08:00-18:00 Europe/Berlin`,
    );
  }
  const from = minuteOf(fromHour!, fromMinute!, text);
  const to = minuteOf(toHour!, toMinute!, text);
  if (from === to || from === 24 * 60) throw new SyntaxError(`"${text}" has no length; a whole day is 00:00-24:00`);
  try {
    clockOf(zone);
  } catch {
    throw new SyntaxError(`"${zone}" in "${text}" is not a time zone; write UTC, or one as in Europe/Berlin`);
  }
  return { days: daysOf(days, text), from, to, zone };
}

/** Whether a time, in milliseconds since 1970, is within one of these windows. */
export function isWithin(windows: readonly Hours[], wall: number): boolean {
  return windows.some(({ days, from, to, zone }) => {
    const { day, minute } = localTime(zone, wall);
    if (from < to) return days[day]! && minute >= from && minute < to;
    return days[day]! && minute >= from || days[(day + 6) % 7]! && minute < to;
  });
}

/** Milliseconds to the next minute, when a window may begin or end. */
export function toNextMinute(wall: number): number {
  return MINUTE_MS - (wall % MINUTE_MS + MINUTE_MS) % MINUTE_MS;
}

function minuteOf(hour: string, minute: string, text: string): number {
  const all = Number(hour) * 60 + Number(minute);
  if (Number(minute) < 60 && all <= 24 * 60) return all;
  throw new SyntaxError(`"${hour}:${minute}" in "${text}" is not a time; write one from 00:00 to 24:00`);
}

function daysOf(text: string | undefined, whole: string): boolean[] {
  const days = DAYS.map(() => text === undefined);
  for (const part of text?.split(",") ?? []) {
    const [first = "", last = first, ...rest] = part.split("-");
    const [from, to] = [dayOf(first), dayOf(last)];
    if (from < 0 || to < 0 || rest.length > 0) {
      throw new SyntaxError(`"${part}" in "${whole}" is not a day; write them as in Mon-Fri or Sat,Sun`);
    }
    for (let day = from;; day = (day + 1) % 7) {
      days[day] = true;
      if (day === to) break;
    }
  }
  return days;
}

function dayOf(text: string): number {
  return DAYS.findIndex((day) => day.toLowerCase() === text.toLowerCase());
}

/** By zone: making one costs a thousand times what asking it does. */
const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(zone: string): Intl.DateTimeFormat {
  let clock = clocks.get(zone);
  if (!clock) {
    clock = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    clocks.set(zone, clock);
  }
  return clock;
}

/** What each zone's clock showed when it was asked last: all clients of a service ask within the same minute. */
const shown = new Map<string, LocalTime & { readonly at: number }>();

function localTime(zone: string, wall: number): LocalTime {
  const at = Math.floor(wall / MINUTE_MS);
  const before = shown.get(zone);
  if (before?.at === at) return before;
  const parts = clockOf(zone).formatToParts(wall);
  const part = (type: string) => parts.find((each) => each.type === type)!.value;
  const now = { at, day: dayOf(part("weekday")), minute: Number(part("hour")) * 60 + Number(part("minute")) };
  shown.set(zone, now);
  return now;
}
