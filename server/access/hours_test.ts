import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "../../tests/rig/test.ts";
import { isWithin, parseHours, toNextMinute } from "./hours.ts";

const at = (text: string) => Date.parse(text);
const open = (hours: string, time: string) => isWithin([parseHours(hours)], at(time));

test("a window is open from its first minute to the one before its end, on its days, by its zone's clock", () => {
  const office = "Mon-Fri 08:00-18:00 Europe/Berlin"; // UTC+1 in winter
  assert.equal(open(office, "2026-01-12T06:59:59.999Z"), false);
  assert.equal(open(office, "2026-01-12T07:00Z"), true);
  assert.equal(open(office, "2026-01-12T16:59:59.999Z"), true);
  assert.equal(open(office, "2026-01-12T17:00Z"), false);
  assert.equal(open(office, "2026-01-11T12:00Z"), false, "a Sunday");
  assert.equal(open(office, "2026-07-13T06:00Z"), true, "in summer an hour earlier");
  assert.equal(open("00:00-24:00 UTC", "2026-01-12T23:59:59Z"), true);
  assert.equal(open("Sat,Sun 00:00-24:00 Pacific/Auckland", "2026-01-09T11:00Z"), true, "Saturday begins there");
  assert.equal(open("Fri-Mon 10:00-11:00 UTC", "2026-01-11T10:30Z"), true, "days may go round the end of the week");
  assert.equal(open("Fri-Mon 10:00-11:00 UTC", "2026-01-13T10:30Z"), false);
});

test("a window over midnight belongs to the day on which it begins", () => {
  const night = "Fri 22:00-06:00 UTC";
  assert.equal(open(night, "2026-01-09T21:59Z"), false);
  assert.equal(open(night, "2026-01-09T22:00Z"), true);
  assert.equal(open(night, "2026-01-10T05:59Z"), true);
  assert.equal(open(night, "2026-01-10T06:00Z"), false);
  assert.equal(open(night, "2026-01-09T03:00Z"), false, "Thursday's night has none");
});

test("when clocks are changed, what counts is what they show: a skipped hour is missing, a repeated one is there twice", () => {
  const hour = "02:00-03:00 Europe/Berlin";
  for (let minute = 0; minute < 24 * 60; minute++) { // 29 March 2026: 02:00 is 03:00
    assert.equal(isWithin([parseHours(hour)], at("2026-03-28T23:00Z") + minute * 60_000), false);
  }
  let minutes = 0;
  for (let minute = 0; minute < 25 * 60; minute++) { // 25 October 2026: 03:00 is 02:00 again
    if (isWithin([parseHours(hour)], at("2026-10-24T22:00Z") + minute * 60_000)) minutes++;
  }
  assert.equal(minutes, 120);
});

test("at any time, over years with their changes of clocks, a window is open when the clock there shows it is", () => {
  const zones = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"];
  const clocks = new Map(
    zones.map((timeZone) =>
      [timeZone, new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "short" })] as const
    ),
  );
  const minutes = fc.integer({ min: 0, max: 24 * 60 - 1 });
  const text = (minute: number) =>
    [minute / 60, minute % 60].map((n) => String(Math.floor(n)).padStart(2, "0")).join(":");
  fc.assert(fc.property(
    fc.constantFrom(...zones),
    fc.integer({ min: at("2011-12-01T00:00Z"), max: at("2030-01-01T00:00Z") }),
    minutes,
    fc.integer({ min: 1, max: 24 * 60 }),
    (zone, wall, from, to) => {
      fc.pre(from !== to);
      const shown = clocks.get(zone)!.format(wall).slice(11);
      const end = to === 24 * 60 ? "24:00" : text(to);
      const expected = from < to ? shown >= text(from) && shown < end : shown >= text(from) || shown < end;
      assert.equal(
        isWithin([parseHours(`${text(from)}-${end} ${zone}`)], wall),
        expected,
        `${shown} ${text(from)}-${end}`,
      );
    },
  ));
});

test("several windows are open when one of them is, and none is always shut", () => {
  const hours = ["Mon 08:00-09:00 UTC", "Mon 10:00-11:00 UTC"].map(parseHours);
  const open = [8, 9, 10, 11].map((hour) => isWithin(hours, Date.UTC(2026, 0, 12, hour, 30)));
  assert.deepEqual(open, [true, false, true, false]);
  assert.equal(isWithin([], 0), false);
});

test("what is no window is told, with what would do", () => {
  const cases: [string, RegExp][] = [
    ["Mon-Fri 08:00-18:00", /not a window; write days, hours and a time zone/],
    ["", /not a window/],
    ["Mon-Fri 8:00-18:00 UTC", /not a window/],
    ["Mo 08:00-18:00 UTC", /"Mo" in .* is not a day; write them as in Mon-Fri/],
    ["Mon-Tue-Wed 08:00-18:00 UTC", /is not a day/],
    ["08:00-08:00 UTC", /has no length; a whole day is 00:00-24:00/],
    ["24:00-01:00 UTC", /has no length/],
    ["08:00-24:01 UTC", /"24:01" in .* is not a time/],
    ["08:60-09:00 UTC", /"08:60" in .* is not a time/],
    ["08:00-09:00 Berlin/Europe", /"Berlin\/Europe" in .* is not a time zone; write UTC/],
  ];
  for (const [text, says] of cases) {
    assert.throws(() => parseHours(text), (error) => error instanceof SyntaxError && says.test(error.message), text);
  }
});

test("the next minute is never now, and a minute away at most", () => {
  fc.assert(fc.property(fc.integer({ min: -1e12, max: 4e12 }), (wall) => {
    const ms = toNextMinute(wall);
    assert.ok(ms > 0 && ms <= 60_000);
    assert.equal(((wall + ms) % 60_000 + 60_000) % 60_000, 0);
  }));
});
