import assert from 'node:assert/strict'
import test from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { fc } from '../../../test/builders/properties.ts'
import { MillraceError } from '../../errors.ts'
import type { PipelineStatus } from '../../serve/status.ts'
import { ProjectError } from '../project-error.ts'
import { errorLines } from './error.ts'
import { bytesText, countOf, countText, durationText, rateText, timeText } from './quantity.ts'
import { createScreen } from './screen.ts'
import { balanceLine, statusLine, statusLines } from './status.ts'
import { PLAIN, styleFor } from './style.ts'
import { cellText, csvLine, cut, jsonLine, tableLines, visible, widthOf } from './table.ts'
import { wrapText } from './wrap.ts'

const COLOURED = styleFor(true, {})

test('colour is for terminals, refused by NO_COLOR and dumb ones, forced by FORCE_COLOR', () => {
  const isColoured = (isTerminal: boolean, environment: Record<string, string>) =>
    styleFor(isTerminal, environment) !== PLAIN
  assert.equal(isColoured(true, {}), true)
  assert.equal(isColoured(false, {}), false)
  assert.equal(isColoured(true, { NO_COLOR: '1' }), false)
  assert.equal(isColoured(true, { NO_COLOR: '' }), true)
  assert.equal(isColoured(true, { TERM: 'dumb' }), false)
  assert.equal(isColoured(false, { FORCE_COLOR: '1' }), true)
  assert.equal(isColoured(false, { FORCE_COLOR: '1', NO_COLOR: '1' }), false)
})

test('quantities read well at every size', () => {
  assert.deepEqual([0, 999, 1000, 1_234_567].map(countText), ['0', '999', '1,000', '1,234,567'])
  assert.deepEqual([countOf(1, 'row'), countOf(2, 'batch', 'batches')], ['1 row', '2 batches'])
  assert.deepEqual(
    [0, 999, 1000, 1449, 59_400, 60_000, 185_000, 7_800_000, 97_200_000, -1000].map(durationText),
    [
      '0 ms',
      '999 ms',
      '1 s',
      '1.4 s',
      '59 s',
      '1 min',
      '3 min 5 s',
      '2 h 10 min',
      '1 d 3 h',
      '-1 s',
    ],
  )
  assert.deepEqual([0, 999, 1000, 4096, 999_600, 123_456_789, 5e15].map(bytesText), [
    '0 B',
    '999 B',
    '1 KB',
    '4.1 KB',
    '1 MB',
    '123 MB',
    '5000 TB',
  ])
  assert.deepEqual([0, 850.4, 12_400, 999_951, 1_250_000].map(rateText), [
    '0/s',
    '850/s',
    '12.4 k/s',
    '1 M/s',
    '1.3 M/s',
  ])
  assert.deepEqual(
    [timeText(1_770_000_000_000), timeText(1_770_000_000_250), timeText(Number.NaN)],
    ['2026-02-02 02:40:00', '2026-02-02 02:40:00.250', 'NaN ms'],
  )
})

test('a table is aligned over wide characters, combining marks and colour', () => {
  const columns = [
    { name: 'shop', type: 'STRING' },
    { name: 'orders', type: 'BIGINT', align: 'right' as const },
  ]
  const rows = [
    ['oslo', '12'],
    ['東京', '1,204'],
    ['e\u0301a', COLOURED.faint('NULL')],
  ]
  const lines = tableLines(columns, rows, COLOURED).map(stripVTControlCharacters)
  assert.deepEqual(lines, [
    'shop    orders',
    'STRING  BIGINT',
    '──────  ──────',
    'oslo        12',
    '東京     1,204',
    'e\u0301a        NULL',
  ])
})

test('a table without colour holds no escape, and no value can bring one', () => {
  const rows = [['\u001b[31mred', 'a\nb\tc']].map((row) => row.map((cell) => cellText(cell, PLAIN)))
  const text = tableLines([{ name: 'a' }, { name: 'b' }], rows, PLAIN).join('\n')
  assert.ok(!text.includes('\u001b'))
  assert.match(text, /\\u001b\[31mred {2}a\\nb\\tc/)
})

test('cells show every type as itself', () => {
  assert.deepEqual(
    [null, true, 1.5, 12n, 'x', new Date(0), new Uint8Array([1, 255]), { a: [1n, null] }].map(
      (value) => cellText(value, PLAIN),
    ),
    ['NULL', 'true', '1.5', '12', 'x', '1970-01-01T00:00:00.000Z', "x'01ff'", '{"a":[1,null]}'],
  )
})

test('CSV quotes what needs it, and tells NULL from empty text', () => {
  assert.equal(
    csvLine([null, '', 'a,b', 'say "hi"', 'two\nlines', 12n, '-1.50']),
    ',"","a,b","say ""hi""","two\nlines",12,-1.50',
  )
})

test('JSON keeps all digits of a BIGINT', () => {
  assert.equal(
    jsonLine({ count: 9_007_199_254_740_993n, at: new Date(0) }),
    '{"count":9007199254740993,"at":"1970-01-01T00:00:00.000Z"}',
  )
})

test('what is cut is as wide as allowed, and no wider', () => {
  assert.equal(cut('abcdef', 6), 'abcdef')
  assert.equal(cut('abcdefg', 6), 'abcde…')
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      fc.integer({ min: 1, max: 20 }),
      (text, width) => widthOf(cut(visible(text), width)) <= width,
    ),
  )
})

test('wrapped prose keeps its words, in order, within the width', () => {
  const words = fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(words, fc.integer({ min: 20, max: 60 }), (words, width) => {
      const lines = wrapText(words.join(' '), width, '  ')
      assert.ok(lines.every((line) => widthOf(line) <= width && line.startsWith('  ')))
      assert.deepEqual(
        lines.flatMap((line) => line.trim().split(' ')),
        words,
      )
    }),
  )
})

test('a screen is drawn over what it drew before, and lines above it stay', () => {
  let written = ''
  const screen = createScreen(
    (text) => {
      written += text
    },
    () => 3,
  )
  screen.draw(['a', 'b', 'c'])
  assert.equal(written, 'a\nb\n')
  written = ''
  screen.print(['news'])
  assert.equal(written, '\u001b[2A\r\u001b[Jnews\na\nb\n')
  written = ''
  screen.draw(['d'])
  assert.equal(written, '\u001b[2A\r\u001b[Jd\n')
})

test('errors are told with code, message and hint; a bug is called one', () => {
  const error = new MillraceError('LOG_TOPIC_MISSING', {
    message: "there is no topic 'x'",
    hint: 'make it\nor not',
  })
  assert.deepEqual(errorLines(error, PLAIN), [
    "LOG_TOPIC_MISSING: there is no topic 'x'",
    '  = make it',
    '  = or not',
  ])
  assert.deepEqual(
    errorLines(error, COLOURED).map(stripVTControlCharacters),
    errorLines(error, PLAIN),
  )
  const bug = errorLines(new TypeError('x is not a function'), PLAIN)
  assert.match(bug[0]!, /^BUG: /)
  assert.match(bug[1]!, /TypeError: x is not a function/)
  assert.match(bug.at(-1)!, /report it/)
})

test('all findings of a project are told, SQL underlined', () => {
  const text = [
    'SQL_COLUMN_UNKNOWN: there is no column `place_at`',
    ' --> pipelines/a.sql: line 3, column 8',
    '3 | SELECT place_at FROM orders',
    '  |        ^^^^^^^^',
    '  = did you mean `placed_at`?',
  ].join('\n')
  const finding = {
    code: 'SQL_COLUMN_UNKNOWN',
    message: 'm',
    hint: 'h',
    file: 'pipelines/a.sql',
    text,
  } as const
  const error = new ProjectError([finding, finding])
  assert.deepEqual(errorLines(error, PLAIN), [...text.split('\n'), '', ...text.split('\n')])
  assert.deepEqual(
    errorLines(error, COLOURED).map(stripVTControlCharacters),
    errorLines(error, PLAIN),
  )
})

const NOW = Date.UTC(2026, 0, 31, 12, 0, 20)
const waiting: PipelineStatus = {
  name: 'revenue',
  state: 'running',
  guarantee: 'exactly-once',
  workers: 1,
  startedMs: NOW - 12_000,
  restarts: 0,
  rowsRead: 10,
  rowsUsed: 10,
  rowsWritten: 0,
  rowsLate: 0,
  rowsDead: 0,
  rowsMadeDead: 0,
  rowsPerSecond: 0,
  lag: 0,
  watermarkMs: NOW - 15_000,
  splits: [
    {
      table: 'orders',
      split: '0',
      isIdle: false,
      isHolding: false,
      watermarkMs: NOW - 13_000,
      lag: 0,
    },
    {
      table: 'orders',
      split: '1',
      isIdle: false,
      isHolding: true,
      watermarkMs: NOW - 15_000,
      lag: 0,
    },
    { table: 'orders', split: '2', isIdle: true, isHolding: false },
  ],
  lateness: [],
  windows: { any: true, open: 3, counted: 10, nextEndMs: NOW + 40_000 },
  checkpoint: { id: '1-7', completedMs: NOW - 4000, durationMs: 20, bytes: 12_000 },
}

test('state that may leave memory is told with what waits for it, if anything does', () => {
  const spilled = { residentBytes: 2e6, spilledBytes: 8e6, waitingRows: 1, swaps: 7, pauseMsMax: 4 }
  const stateOf = (waitingRows: number): string =>
    statusLines(
      { ...waiting, spilled: { ...spilled, waitingRows } },
      { nowMs: NOW, columns: 100, style: PLAIN },
    ).find((line) => line.startsWith('  state '))!
  assert.equal(stateOf(0), '  state     2 MB in memory, 8 MB in files')
  assert.equal(stateOf(300), '  state     2 MB in memory, 8 MB in files, 300 rows wait for it')
})

test('ten rows of a newcomer show which split holds the watermark, and why nothing has fired', () => {
  assert.deepEqual(statusLines(waiting, { nowMs: NOW, columns: 100, style: PLAIN }), [
    'revenue  running · exactly-once · 1 worker · 12 s',
    '  rows      10 read  0/s  lag 0 · 0 written · 0 late · 0 dead',
    '  watermark 2026-01-31 12:00:05  held by orders[1]',
    '            orders[1] 12:00:05 · orders[0] 12:00:07 · orders[2] idle',
    '  windows   3 wait, the next for event time 2026-01-31 12:01:00',
    '  stored    checkpoint 1-7, 4 s ago, 12 KB',
    '  why no rows yet? 10 rows came in, but a window fires only when the watermark reaches its end,',
    '  2026-01-31 12:01:00; it is at 2026-01-31 12:00:05, 55 s of event time short. The watermark moves',
    '  with the events, not with the clock: an event late enough fires the window. If none will come,',
    "  millrace run --until end fires every window; with SET 'time.idle-watermark' = 'clock' the",
    '  watermark follows the clock once no split has more.',
  ])
})

test('a pipeline that has written rows explains nothing, and one without windows says nothing of them', () => {
  const written = {
    ...waiting,
    rowsWritten: 3,
    windows: { any: false, open: 0, counted: 0 },
    splits: [],
  }
  const lines = statusLines(
    { ...written, checkpoint: { ...waiting.checkpoint!, bytes: 0 } },
    { nowMs: NOW, columns: 100, style: PLAIN },
  )
  assert.deepEqual(lines.slice(2), ['  stored    checkpoint 1-7, 4 s ago, 0 B'])
})

test('a failed pipeline tells its problem and the way out', () => {
  const problem = { code: 'LOG_CORRUPT', message: 'a segment is damaged', hint: 'restore it' }
  const lines = statusLines(
    { ...waiting, state: 'failed', problem },
    { nowMs: NOW, columns: 100, style: PLAIN },
  )
  assert.deepEqual(lines.slice(-2), ['  LOG_CORRUPT: a segment is damaged', '    = restore it'])
})

test('without a terminal a status is one line, without colour', () => {
  assert.equal(
    statusLine(waiting, NOW),
    'revenue: running, 10 read, 0/s, lag 0, 0 written, 0 late, 0 dead, watermark 2026-01-31 12:00:05, ' +
      '3 windows wait, the next for event time 2026-01-31 12:01:00, checkpoint 1-7, 4 s ago, 12 KB',
  )
})

test('the balance of a run adds up, or says that it does not', () => {
  const ended = { ...waiting, rowsRead: 12, rowsUsed: 11, rowsDead: 1, rowsLate: 2, rowsWritten: 4 }
  assert.equal(
    balanceLine(ended, PLAIN),
    '12 rows read = 11 used + 1 dead · 12 rows in windows = 10 counted + 2 late · 4 written',
  )
  assert.ok(
    balanceLine({ ...ended, rowsUsed: 10 }, COLOURED).startsWith(COLOURED.bad('12 rows')[0]!),
  )
  assert.ok(!balanceLine(ended, COLOURED).includes('\u001b'))
})

test('a split that waits says why, once for all that wait for the same', () => {
  const trouble = 'fetching: 127.0.0.1:9 does not answer'
  const splits = waiting.splits.map((split) => ({ ...split, trouble }))
  const lines = statusLines({ ...waiting, splits }, { nowMs: NOW, columns: 120, style: PLAIN })
  assert.equal(lines.filter((line) => line.includes(trouble)).length, 1)
  assert.match(statusLine({ ...waiting, splits }, NOW), /, orders\[0\] waits: fetching: 127/)
  assert.doesNotMatch(statusLine({ ...waiting, splits, state: 'stopped' }, NOW), /waits: fetching/)
})
