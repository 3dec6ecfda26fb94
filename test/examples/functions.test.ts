import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test from 'node:test'
import { pathToFileURL } from 'node:url'
import { asyncFunction, type Millrace, open, t } from '../../src/index.ts'
import { inDirectory } from '../cli/process.ts'

const page = readFileSync('docs/functions.md', 'utf8')
const library = JSON.stringify(pathToFileURL('src/index.ts').href)
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, text]) =>
    text!.replace("'millrace'", library),
  )
const [MODULE, METER] = blocks('ts')
const [TABLES, METER_TABLES] = blocks('sql')
const PAYMENTS = [
  '{"country":"NO","cents":999,"labels":"new,card"}',
  '{"country":null,"cents":5,"labels":""}',
  '{"country":"SE","cents":99,"labels":"old"}',
]

async function withExample(run: (db: Millrace, directory: string) => Promise<void>): Promise<void> {
  await inDirectory(async (directory) => {
    writeFileSync(join(directory, 'risk.ts'), MODULE!)
    writeFileSync(join(directory, 'payments.jsonl'), PAYMENTS.join('\n'))
    await using db = await open({ directory, data: join(directory, 'data'), tables: TABLES! })
    await run(db, directory)
  })
}

test('the functions of docs/functions.md give what they say, and a row that throws is set aside', async () => {
  await withExample(async (db) => {
    const judged = await db.query('SELECT * FROM judged').rows()
    assert.deepEqual(
      judged.map(({ country, risk }) => [country, risk]),
      [
        ['NO', 0.3],
        ['SE', 0.8],
      ],
    )
    const labelled = await db.query('SELECT * FROM labelled').rows()
    assert.deepEqual(
      labelled.map(({ country, tag }) => `${country} ${tag}`),
      ['NO new', 'NO card', 'SE old'],
    )
  })
})

test('a pipeline calls functions in worker threads too, and dead rows say what was thrown', async () => {
  await withExample(async (db) => {
    const sink = "WITH ('connector' = 'delta', 'table-path' = 'lake')"
    const script = `CREATE TABLE risks (country STRING, risk DOUBLE) ${sink};
      INSERT INTO risks SELECT country, risk FROM judged`
    const run = await db.run(script, { name: 'risks', until: 'end', workers: 2 })
    assert.equal((await run.finished).kind, 'finished')
    const { read, dead } = run.status().conservation
    assert.deepEqual({ read, dead }, { read: 3, dead: 1 })
    await run.stop()
    db.define(`CREATE TABLE risks (country STRING, risk DOUBLE) ${sink}`)
    assert.equal((await db.query('SELECT * FROM risks').rows()).length, 2)
    const told = await db.query('SELECT reason FROM risks$dead').rows()
    assert.match(String(told[0]?.reason), /risk.*threw Error: a payment without a country/)
  })
})

test('wrong arguments, modules and exports are refused before anything runs', async () => {
  await withExample(async (db, directory) => {
    for (const [sql, message] of [
      ['SELECT risk(country) FROM payments', /takes 2 arguments, not 1/],
      ['SELECT risk(country, country) FROM payments', /argument 2 of risk\(STRING, BIGINT\)/],
      ['SELECT rsik(country, cents) FROM payments', /no function RSIK/i],
    ] as const)
      assert.throws(() => db.query(sql), { message })
    const unreadable = { code: 'FUNCTION_UNREADABLE' }
    const declare = (source: string) => `CREATE FUNCTION f AS '${source}' LANGUAGE TYPESCRIPT`
    await assert.rejects(open({ directory, tables: declare('./none.ts#f') }), unreadable)
    await assert.rejects(open({ directory, tables: declare('./risk.ts#f') }), {
      ...unreadable,
      hint: /it exports risk, tags/,
    })
    await assert.rejects(open({ tables: "CREATE FUNCTION f AS 'org.Risk' LANGUAGE JAVA" }), {
      code: 'SQL_SYNTAX',
    })
  })
})

/** Knows the owners and tariffs of meters, and of 'x' only the second time it is asked. */
async function withService(run: (url: string) => Promise<void>): Promise<void> {
  const asked = new Map<string, number>()
  const server = createServer(({ url = '' }, response) => {
    asked.set(url, (asked.get(url) ?? 0) + 1)
    if (url === '/meters/gone') response.statusCode = 404
    else if (url === '/meters/x' && asked.get(url) === 1) response.statusCode = 503
    else if (url.startsWith('/tariffs/')) response.write(JSON.stringify(['day', 'night']))
    else response.write(url === '/meters/y' ? 'nobody' : `the owner of ${url.slice(8)}`)
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const READINGS = [
  ['x', 12, '00:00'],
  ['y', 30, '00:10'],
  ['x', 5, '00:20'],
  ['x', 7, '00:30'],
  ['gone', 70, '00:40'],
  ['z', 3, '01:50'],
  ['x', 11, '02:00'],
] as const

async function withMeters(run: (db: Millrace) => Promise<void>): Promise<void> {
  await inDirectory(async (directory) => {
    await withService(async (url) => {
      writeFileSync(join(directory, 'meter.ts'), METER!.replaceAll('http://localhost:8088', url))
      const rows = READINGS.map(([meter, value, time]) =>
        JSON.stringify({ meter, value, at_time: `2026-01-31T${time}:00Z` }),
      )
      writeFileSync(join(directory, 'readings.jsonl'), rows.join('\n'))
      await using db = await open({
        directory,
        data: join(directory, 'data'),
        tables: METER_TABLES!,
      })
      await run(db)
    })
  })
}

test('the aggregate, the process function and the asynchronous ones of docs/functions.md give what they say', async () => {
  await withMeters(async (db) => {
    const told = async (query: string): Promise<string[]> =>
      (await db.query(query).rows()).map((row) => Object.values(row).join(' ')).sort()
    assert.deepEqual(await told('SELECT meter, lows FROM lows'), ['gone 0', 'x 2', 'y 0', 'z 1'])
    assert.deepEqual(await told('SELECT meter, last FROM silences'), [
      'gone 70',
      'x 11',
      'x 7',
      'y 30',
      'z 3',
    ])
    assert.deepEqual(await told('SELECT * FROM owned'), [
      'x 11 the owner of x',
      'x 12 the owner of x',
    ])
    assert.deepEqual(await told("SELECT * FROM priced WHERE meter = 'y'"), ['y day', 'y night'])
  })
})

test('a row for which there is no answer goes to dead with what was thrown last, also from worker threads', async () => {
  await withMeters(async (db) => {
    const sink = "WITH ('connector' = 'delta', 'table-path' = 'lake')"
    const script = `SET 'table.exec.async-scalar.retry-delay' = '1 ms';
      CREATE TABLE owners (meter STRING, owner STRING) ${sink};
      INSERT INTO owners SELECT meter, owner FROM owned`
    const run = await db.run(script, { name: 'owners', until: 'end', workers: 2 })
    assert.equal((await run.finished).kind, 'finished')
    const { read, dead } = run.status().conservation
    assert.deepEqual({ read, dead }, { read: 7, dead: 1 })
    await run.stop()
    db.define(`CREATE TABLE owners (meter STRING, owner STRING) ${sink}`)
    const told = await db.query('SELECT reason FROM owners$dead').rows()
    assert.match(String(told[0]?.reason), /owner threw Error: no meter gone: 404/)
  })
})

test('calls that nothing can wait for are refused, with what to write instead', async () => {
  await withMeters(async (db) => {
    for (const [sql, message, hint] of [
      ['SELECT MAX(owner(meter)) FROM readings', /owner is asynchronous/, /AS answer FROM t/],
      [
        'SELECT a.meter FROM readings a JOIN readings b ON owner(a.meter) = b.meter',
        /owner is asynchronous/,
        /AS answer FROM t/,
      ],
      [
        'SELECT owner(meter) FROM (SELECT meter, COUNT(*) AS n FROM readings GROUP BY meter)',
        /may be taken back: by group-aggregate/,
        /before they are aggregated/,
      ],
    ] as const)
      assert.throws(() => db.query(sql), { code: 'SQL_UNSUPPORTED', message, hint })
  })
})

test('settings of asynchronous functions that make no sense are refused', async () => {
  await withMeters(async (db) => {
    for (const [name, value] of [
      ['table.exec.async-scalar.max-concurrent-operations', '0'],
      ['table.exec.async-table.max-retries', '-1'],
      ['table.exec.async-scalar.retry-strategy', 'SOMETIMES'],
    ]) {
      const script = `SET '${name}' = '${value}'; CREATE TABLE o (meter STRING) WITH ('connector' = 'blackhole');
        INSERT INTO o SELECT owner FROM owned`
      await assert.rejects(db.run(script, { name: 'o', until: 'end' }), { code: 'SETTING_INVALID' })
    }
  })
  const asked = () => asyncFunction([], t.int(), async () => 1, { capacity: 0 })
  assert.throws(asked, { code: 'OPTION_INVALID' })
})
