// Dates and times, as text, into cells.
import { digit, end, peek, setEnd } from './input.as'
import { textAt, textEnd } from './string.as'
import { DATE, TIME, TIMESTAMP_LTZ } from './tree.as'

// @ts-nocheck: compiled by asc, not by tsc

function two(p: usize): i32 { return digit(p) <= 9 && digit(p + 1) <= 9 ? <i32>(digit(p) * 10 + digit(p + 1)) : -1; }

export let days: i64 = 0;
// YYYY-MM-DD, proleptic Gregorian, years 0000-9999; returns the place behind, or 0.
export function scanDate(p: usize): usize {
  const century = two(p), y2 = two(p + 2), month = two(p + 5), day = two(p + 8);
  if (century < 0 || y2 < 0 || month < 1 || month > 12 || day < 1 || peek(p + 4) != 45 || peek(p + 7) != 45) return 0;
  const year = century * 100 + y2;
  const leap = (year & 3) == 0 && (year % 100 != 0 || year % 400 == 0);
  const last = month == 2 ? 28 + <i32>leap : 30 + ((month + (month >> 3)) & 1);
  if (day > last) return 0;
  // Days from civil, with March as the first month. @see Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"
  const y = year - <i32>(month <= 2), era = (y >= 0 ? y : y - 399) / 400, yearOfEra = y - era * 400;
  const dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  days = <i64>era * 146097 + <i64>(yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear) - 719468;
  return p + 10;
}

let micros: i64 = 0;
// HH:MM[:SS[.fraction of 1 to 9 digits]]; what is below a microsecond is cut.
function scanTime(p: usize): usize {
  const hour = two(p), minute = two(p + 3);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || peek(p + 2) != 58) return 0;
  let second = 0, us: i64 = 0;
  p += 5;
  if (peek(p) == 58) {
    second = two(p + 1);
    if (second < 0 || second > 59) return 0;
    p += 3;
    if (peek(p) == 46) {
      p++;
      let n = 0;
      while (digit(p) <= 9 && n < 9) { if (n < 6) us = us * 10 + <i64>digit(p); n++; p++; }
      if (!n) return 0;
      for (; n < 6; n++) us *= 10;
    }
  }
  micros = (<i64>hour * 3600 + <i64>minute * 60 + <i64>second) * 1000000 + us;
  return p;
}

// Z, or an offset from UTC; subtracts it from micros.
function scanZone(p: usize): usize {
  const c = peek(p);
  if (c == 90) return p + 1;
  if (c != 43 && c != 45) return 0;
  const hour = two(p + 1), minute = two(p + 4);
  if (hour < 0 || hour > 18 || minute < 0 || minute > 59 || peek(p + 3) != 58) return 0;
  const us = (<i64>hour * 60 + <i64>minute) * 60000000;
  micros += c == 43 ? -us : us;
  return p + 6;
}

const DAY_US: i64 = 86400000000;
// The text [textAt, textEnd) as a date or time.
export function timeCell(node: usize, kind: i32, cell: usize): bool {
  const whole = end;
  setEnd(textEnd);
  let p = textAt, v: i64 = 0;
  if (kind == DATE) { p = scanDate(p); v = days; }
  else if (kind == TIME) { p = scanTime(p); v = micros; }
  else {
    p = scanDate(p);
    if (p && peek(p) == load<u32>(node, 44)) p = scanTime(p + 1); else p = 0;
    if (p && kind == TIMESTAMP_LTZ) p = scanZone(p);
    v = days * DAY_US + micros;
  }
  const good = p == textEnd;
  setEnd(whole);
  if (good) store<i64>(cell, v);
  return good;
}
