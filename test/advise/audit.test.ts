/** Every code has a pipeline that has it and one that has not, and what is good has none. */
import assert from 'node:assert/strict'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import test from 'node:test'
import { codePage, withCodes } from '../../scripts/audit-docs.ts'
import { type Audit, openFindings, sarifOf } from '../../src/advise/audit/report.ts'
import { AUDIT_CODES, type AuditCode, RULES } from '../../src/advise/audit/rules.ts'
import { auditFiles, withEdits } from '../../src/cli/audit-files.ts'
import { measuredDelay } from '../../src/cli/measured-delay.ts'
import { inDirectory, millrace } from '../cli/process.ts'

const DAY_US = 86_400_000_000

interface Told {
  readonly measured?: Parameters<typeof auditFiles>[0]['measured']
  readonly engine?: 'flink' | 'millrace'
}

function audited(text: string, told: Told = {}): Audit {
  return auditFiles({
    files: [{ name: 'job.sql', text }],
    tables: [],
    measured: told.measured ?? new Map(),
    ...(told.engine && { engine: told.engine }),
    retentionUs: (topic) => (topic === 'orders' ? 7 * DAY_US : undefined),
  })
}

function codesOf(audit: Audit): AuditCode[] {
  return openFindings(audit).map(({ code }) => code)
}

/** As `millrace advise watermark --json` says it: half a minute keeps 99.9 %. */
const MEASURED = new Map([
  measuredDelay(
    'orders.json',
    JSON.stringify({
      of: 'orders',
      line: "WATERMARK FOR placed_at AS placed_at - INTERVAL '30' SECOND",
      chosen: { delayUs: 30_000_000, completeness: 0.9991 },
      distribution: [
        { delayUs: 0, completeness: 0.5 },
        { delayUs: 5_000_000, completeness: 0.91 },
        { delayUs: 90_000_000, completeness: 1 },
      ],
    }),
  ),
])

for (const code of AUDIT_CODES) {
  test(`${code} is found where it is, and not where it is not`, () => {
    const { has, hasNot, isFixed } = RULES[code]
    const told = code === 'DELAY_CONTRADICTED' ? { measured: MEASURED } : {}
    const found = openFindings(audited(has, told)).filter((finding) => finding.code === code)
    assert.ok(found.length > 0, has)
    assert.ok(!codesOf(audited(hasNot)).includes(code), hasNot)
    for (const finding of found) {
      const lines = has.split('\n')
      assert.ok(finding.line >= 1 && finding.line <= lines.length)
      assert.ok(finding.column >= 1 && finding.column <= lines[finding.line - 1]!.length + 1)
    }
    if (!isFixed) return
    const mended = withEdits(
      has,
      found.flatMap(({ fix }) => fix ?? []),
    )
    assert.notEqual(mended, has)
    const left = codesOf(audited(mended, told))
    assert.ok(!left.includes(code) && !left.includes('STATEMENT_UNREAD'), mended)
  })
}

test('the good pipeline of the pages has no finding, and every rule says all of its parts', () => {
  assert.deepEqual(codesOf(audited(RULES.NEED_UNSTATED.hasNot)), [])
  for (const code of AUDIT_CODES)
    for (const part of [RULES[code].title, RULES[code].why, RULES[code].remedy])
      assert.ok(part.length > 10, code)
})

test('nothing is found in the examples of the repository', () => {
  const files = (pattern: string) =>
    globSync(pattern).map((name) => ({ name, text: readFileSync(name, 'utf8') }))
  const pipelines = files('examples/*/pipelines/*.sql')
  assert.ok(pipelines.length > 0)
  const found = auditFiles({
    files: pipelines,
    tables: files('examples/*/tables/*.sql'),
    measured: new Map(),
    retentionUs: () => undefined,
  })
  assert.deepEqual(openFindings(found), [])
})

test('a place is that of the text it is about', () => {
  const text = RULES.IDLE_STALL.has
  const [found] = openFindings(audited(text)).filter(({ code }) => code === 'IDLE_STALL')
  const source = text.split('\n')[found!.line - 1]!
  assert.equal(source.slice(found!.column - 1, found!.endColumn - 1), "'0'")
})

test('a suppression with a reason is kept with it, by line, above it, and by file', () => {
  const has = RULES.CLOCK_UNGUARDED.has
  for (const suppressed of [
    `-- audit: ignore CLOCK_UNGUARDED: all events are stamped by one server\n${has}`,
    `${has}-- audit: ignore-file CLOCK_UNGUARDED: all events are stamped by one server\n`,
    has.replace(
      "'off';",
      "'off'; -- audit: ignore CLOCK_UNGUARDED: all events are stamped by one server",
    ),
  ]) {
    const audit = audited(suppressed)
    assert.ok(!codesOf(audit).includes('CLOCK_UNGUARDED'))
    const kept = audit.findings.find(({ code }) => code === 'CLOCK_UNGUARDED')
    assert.equal(kept?.suppressed, 'all events are stamped by one server')
  }
  const elsewhere = `${has}\n-- audit: ignore CLOCK_UNGUARDED: not here\n`
  assert.ok(codesOf(audited(elsewhere)).includes('CLOCK_UNGUARDED'))
})

test('a Flink file is audited as it stands', () => {
  const text = `SET 'execution.checkpointing.interval' = '10 s';
CREATE TABLE clicks (id BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH (
  'connector' = 'kinesis', 'stream.arn' = 'arn', 'format' = 'json');
CREATE TABLE profiles (id BIGINT, name STRING) WITH ('connector' = 'mysql-cdc', 'hostname' = 'h');
CREATE CATALOG lake WITH ('type' = 'iceberg');
CREATE TABLE wide (id BIGINT, name STRING) WITH ('connector' = 'iceberg');
CREATE TABLE counts (n BIGINT) WITH ('connector' = 'iceberg');
EXECUTE STATEMENT SET BEGIN
INSERT INTO wide SELECT c.id, p.name FROM clicks c JOIN profiles p ON c.id = p.id;
INSERT INTO counts SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
  GROUP BY window_start, window_end;
END;`
  const codes = new Set(codesOf(audited(text)))
  for (const code of [
    'NEED_UNSTATED',
    'LATE_UNROUTED',
    'SINK_AT_LEAST_ONCE',
    'SCHEMA_UNGOVERNED',
    'CONNECTOR_FOREIGN',
    'STATE_UNBOUNDED',
    'IDLE_STALL',
    'FILES_SMALL',
    'KEY_HOT',
    'STATEMENT_UNREAD',
    'CLOCK_UNGUARDED',
  ] as const)
    assert.ok(codes.has(code), `${code} of ${[...codes].join(', ')}`)
})

test('tables of a catalog, and those that name no connector, are audited as what they may be', () => {
  const catalog = audited(
    'INSERT INTO counts SELECT shop, COUNT(*) FROM lake.db.orders GROUP BY shop;',
  )
  assert.deepEqual(
    new Set(codesOf(catalog)),
    new Set(['NEED_UNSTATED', 'STATE_UNBOUNDED', 'TABLE_UNDECLARED']),
  )
  const told = openFindings(catalog).filter(({ code }) => code === 'TABLE_UNDECLARED')
  assert.deepEqual(told.map(({ column }) => column).sort(), [13, 47])
  const unnamed =
    "CREATE TABLE orders (shop STRING, paid TIMESTAMP(3), WATERMARK FOR paid AS paid - INTERVAL '1' SECOND);\n"
  const old = unnamed.replace(');', ") WITH ('connector.type' = 'kafka', 'connector.topic' = 't');")
  for (const text of [unnamed, old]) {
    const codes = codesOf(
      audited(`${text}CREATE TABLE counts (n BIGINT);
      INSERT INTO counts SELECT COUNT(*) FROM orders GROUP BY TUMBLE(paid, INTERVAL '1' MINUTE);`),
    )
    assert.ok(codes.includes('CONNECTOR_FOREIGN') && codes.includes('LATE_UNROUTED'), codes.join())
  }
})

test('a table that WITH makes is declared, however deep it stands', () => {
  const common = RULES.NEED_UNSTATED.hasNot.replace(
    /INSERT[\s\S]*/,
    'INSERT INTO revenue SELECT * FROM (WITH few AS (SELECT shop, placed_at, amount FROM orders) SELECT * FROM few);',
  )
  assert.deepEqual(codesOf(audited(common)), [])
})

test('a window over a view is over the table that the view reads', () => {
  const { has } = RULES.LATE_UNROUTED
  const viewed = has
    .replace('INSERT', 'CREATE VIEW seen AS SELECT * FROM (SELECT * FROM orders);\nINSERT')
    .replace('TABLE orders,', 'TABLE seen,')
  assert.ok(codesOf(audited(viewed)).includes('LATE_UNROUTED'), viewed)
})

test('files that only create tables are seen by those beside them', () => {
  const [tables, insert] = RULES.NEED_UNSTATED.has.split(/(?=INSERT)/)
  const audit = auditFiles({
    files: [
      { name: 'tables.sql', text: tables! },
      { name: 'job.sql', text: insert! },
    ],
    tables: [],
    measured: new Map(),
    retentionUs: () => undefined,
  })
  assert.deepEqual(codesOf(audit), ['NEED_UNSTATED'])
  assert.equal(audit.findings[0]!.file, 'job.sql')
})

test('what advice on needs writes has no finding that is graver than a note', async () => {
  await inDirectory(async (directory) => {
    for (const name of ['fraud-check', 'hourly-dashboard', 'iot-fleet']) {
      const needs = resolve(`examples/needs/${name}.yaml`)
      await millrace(directory, ['advise', needs, '--write', name])
      const { code, out } = await millrace(directory, ['audit', '--project', name, '--strict'])
      assert.equal(code, 0, out)
    }
  })
})

test('windows by the clock lose no late rows, and wait for no partition', () => {
  const clock = RULES.PROCESSING_TIME.has.replace(
    'placed_at TIMESTAMP_LTZ(3)',
    "placed_at TIMESTAMP_LTZ(3),\n  WATERMARK FOR placed_at AS placed_at - INTERVAL '5' SECOND",
  )
  const codes = codesOf(audited(clock, { engine: 'flink' }))
  assert.ok(codes.includes('PROCESSING_TIME'))
  assert.ok(!codes.includes('LATE_UNROUTED') && !codes.includes('IDLE_STALL'), clock)
})

test('what is bounded needs nothing that streams need', () => {
  const text = RULES.STATE_UNBOUNDED.has.replace(
    "'topic' = 'orders'",
    "'topic' = 'orders', 'scan.bounded.mode' = 'latest-offset'",
  )
  const unneeded = RULES.STATE_UNBOUNDED.has.replace(/^-- need.*\n/, '')
  assert.deepEqual(codesOf(audited(text.replace(/^-- need.*\n/, ''))), [])
  assert.ok(codesOf(audited(unneeded)).length > 0)
  assert.deepEqual(codesOf(audited(`-- Each hour, with --until now.\n${unneeded}`)), [])
})

test('joins that are bounded by time, a version or a window keep no state for ever', () => {
  const tables = RULES.NEED_UNSTATED.hasNot.replace(/INSERT[\s\S]*/, '')
  const inserts = [
    "SELECT a.shop, a.placed_at, b.amount FROM orders a JOIN orders b ON a.shop = b.shop AND a.placed_at BETWEEN b.placed_at AND b.placed_at + INTERVAL '1' HOUR",
    'SELECT a.shop, a.placed_at, b.amount FROM orders a JOIN orders FOR SYSTEM_TIME AS OF a.placed_at AS b ON a.shop = b.shop',
  ]
  for (const select of inserts)
    assert.ok(
      !codesOf(audited(`${tables}INSERT INTO revenue ${select};`)).includes('STATE_UNBOUNDED'),
    )
  const regular = `${tables}INSERT INTO revenue SELECT a.shop, a.placed_at, b.amount FROM orders a JOIN orders b ON a.shop = b.shop;`
  assert.ok(codesOf(audited(regular)).includes('STATE_UNBOUNDED'))
})

test('SARIF has what its schema requires, and nothing else', () => {
  const all = AUDIT_CODES.map((code) => audited(RULES[code].has, { measured: MEASURED }))
  const suppressed = audited(
    `-- audit: ignore-file NEED_UNSTATED: tried out\n${RULES.NEED_UNSTATED.has}`,
  )
  const findings = [...all, suppressed].flatMap((audit) => audit.findings)
  const sarif = JSON.parse(JSON.stringify(sarifOf({ files: ['job.sql'], findings }, '0.1.0')))
  assert.deepEqual(Object.keys(sarif).sort(), ['$schema', 'runs', 'version'])
  assert.equal(sarif.version, '2.1.0')
  const [run] = sarif.runs
  const { driver } = run.tool
  assert.equal(typeof driver.name, 'string')
  assert.equal(new Set(driver.rules.map(({ id }: { id: string }) => id)).size, driver.rules.length)
  assert.ok(['utf16CodeUnits', 'unicodeCodePoints'].includes(run.columnKind))
  assert.equal(run.results.length, findings.length)
  const known = ['ruleId', 'ruleIndex', 'level', 'message', 'locations', 'fixes', 'suppressions']
  for (const result of run.results) {
    assert.ok(Object.keys(result).every((key) => known.includes(key)))
    assert.equal(driver.rules[result.ruleIndex].id, result.ruleId)
    assert.ok(['none', 'note', 'warning', 'error'].includes(result.level))
    assert.ok(result.message.text.length > 0)
    const { artifactLocation, region } = result.locations[0].physicalLocation
    assert.equal(new URL(artifactLocation.uri, 'file:///').pathname, '/job.sql')
    for (const each of ['startLine', 'startColumn', 'endLine', 'endColumn'])
      assert.ok(Number.isInteger(region[each]) && region[each] >= 1)
    assert.ok(region.endLine > region.startLine || region.endColumn >= region.startColumn)
    for (const { artifactChanges } of result.fixes ?? [])
      for (const { replacements } of artifactChanges)
        for (const { deletedRegion, insertedContent } of replacements) {
          assert.ok(deletedRegion.charOffset >= 0 && deletedRegion.charLength >= 0)
          assert.equal(typeof insertedContent.text, 'string')
        }
    for (const { kind } of result.suppressions ?? []) assert.equal(kind, 'inSource')
  }
  assert.ok(run.results.some((result: { suppressions?: unknown }) => result.suppressions))
})

test('the command mends tables that are in other files, is strict when asked, and speaks every form', async () => {
  await inDirectory(async (directory) => {
    const [tables, insert] = RULES.FILES_SMALL.has.split(/(?=INSERT)/)
    for (const folder of ['tables', 'pipelines']) mkdirSync(join(directory, folder))
    writeFileSync(join(directory, 'tables/all.sql'), tables!)
    writeFileSync(join(directory, 'pipelines/revenue.sql'), `-- need: tried out\n${insert}`)
    const strict = await millrace(directory, ['audit', '--strict'])
    assert.equal(strict.code, 1, strict.err)
    assert.match(strict.out, /FILES_SMALL.*\n.*tables\/all\.sql:\d+:\d+/)
    const md = await millrace(directory, ['audit', '--format', 'md'])
    assert.match(md.out, /^# Audit[\s\S]*## First[\s\S]*1\. \*\*commits so frequent/)
    const sarif = await millrace(directory, ['audit', '--format', 'sarif'])
    assert.equal(JSON.parse(sarif.out).runs[0].results[0].ruleId, 'FILES_SMALL')
    const mended = await millrace(directory, ['audit', '--fix'])
    assert.match(mended.err, /mended 1 in tables\/all\.sql/)
    const again = await millrace(directory, ['audit', '--strict', '--json'])
    assert.equal(again.code, 0, again.out)
    assert.deepEqual(JSON.parse(again.out).findings, [])
  })
})

test('the pages of docs/audit are what the rules say', () => {
  for (const code of AUDIT_CODES)
    assert.equal(readFileSync(`docs/audit/${code}.md`, 'utf8'), codePage(code))
  const page = readFileSync('docs/audit.md', 'utf8')
  assert.equal(withCodes(page), page)
})

test('docs/audit.md shows what its command says', async () => {
  await inDirectory(async (directory) => {
    const page = readFileSync('docs/audit.md', 'utf8')
    const [, sql] = /```sql\n([\s\S]*?)```/.exec(page)!
    const [, command] = /^millrace (audit .*)$/m.exec(page)!
    const [, shown] = /<!-- output -->\n```text\n([\s\S]*?)```/.exec(page)!
    writeFileSync(join(directory, 'job.sql'), sql!)
    const { code, out, err } = await millrace(directory, command!.split(' '))
    assert.equal(code, 0, err)
    assert.equal(out, shown)
  })
})
