/** Views that answer, and events that are answered. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { open } from '../../src/index.ts'
import { inDirectory } from '../cli/process.ts'

const TABLES = `CREATE TABLE reservations (request STRING, item STRING, at AS PROCTIME())
  WITH ('connector' = 'log', 'topic' = 'reservations', 'format' = 'json')`.replace(
  ' at AS',
  ' `at` AS',
)
/** The first to come for an item has it. */
const QUERY = `SELECT request, item, number = 1 AS accepted FROM (
  SELECT request, item, COUNT(*) OVER (PARTITION BY item ORDER BY \`at\` ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS number
  FROM reservations)`
const ASKING = { topic: 'reservations', id: 'request' }

test('of a hundred who ask for the last item at once, one has it', async () => {
  await inDirectory(async (directory) => {
    const data = join(directory, 'data')
    let winner: unknown
    {
      const db = await open({ data, tables: TABLES })
      // The table's topic is made by who asks first.
      const asking = await db.asking(QUERY, ASKING)
      const asked = Array.from({ length: 100 }, (_, index) =>
        asking.ask({ item: 'ticket' }, { id: `r${index}` }),
      )
      const answers = await Promise.all(asked)
      const accepted = answers.filter((answer) => answer.accepted)
      assert.equal(accepted.length, 1)
      winner = accepted[0]!.request
      await db.close()
    }
    // Asked again, after all that knew the answers is gone: the same answers, and no event twice.
    const db = await open({ data, tables: TABLES })
    const asking = await db.asking(QUERY, ASKING)
    const again = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        asking.ask({ item: 'ticket' }, { id: `r${index}` }),
      ),
    )
    assert.deepEqual(
      again.filter(({ accepted }) => accepted).map(({ request }) => request),
      [winner],
    )
    const [counted] = await db.query('SELECT COUNT(*) AS n FROM reservations').rows()
    assert.equal(counted!.n, 100n)
    assert.equal((await asking.ask({ item: 'seat' })).accepted, true)
    await db.close()
  })
})

const ASKER = `
const { open } = await import(process.argv[1])
const db = await open({ data: process.argv[2], tables: process.argv[3] })
const asking = await db.asking(process.argv[4], { topic: 'reservations', id: 'request' })
for (let index = 0; index < 2000; index++)
  asking.ask({ item: 'ticket' }, { id: 'r' + index }).then(({ request, accepted }) => console.log(request, accepted))
`

test('a SIGKILL between question and answer leaves one who has it', async () => {
  await inDirectory(async (directory) => {
    const data = join(directory, 'data')
    const library = pathToFileURL(fileURLToPath(new URL('../../src/index.ts', import.meta.url)))
    const told: string[] = []
    const child = spawn(
      process.execPath,
      ['--input-type=module', '-e', ASKER, library.href, data, TABLES, QUERY],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    child.stdout.on('data', (bytes: Buffer) => {
      told.push(...bytes.toString().split('\n'))
      if (told.length > 20) child.kill('SIGKILL')
    })
    await new Promise((resolve) => child.once('close', resolve))
    const before = told.filter((line) => line.endsWith(' true')).map((line) => line.split(' ')[0])
    const db = await open({ data, tables: TABLES })
    const asking = await db.asking(QUERY, ASKING)
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => asking.ask({ item: 'ticket' }, { id: `r${index}` })),
    )
    const accepted = answers.filter((answer) => answer.accepted).map(({ request }) => request)
    assert.equal(accepted.length, 1)
    assert.deepEqual(before.length === 0 ? accepted : before, accepted)
    await db.close()
  })
})

test('a view answers by key, and tells its followers what changes', async () => {
  await inDirectory(async (directory) => {
    const db = await open({ data: join(directory, 'data'), tables: TABLES })
    const asking = await db.asking(QUERY, ASKING)
    await asking.ask({ item: 'ticket' })
    const view = db.view('SELECT item, COUNT(*) AS asked FROM reservations GROUP BY item', {
      key: ['item'],
    })
    await view.ready
    assert.equal(view.get('ticket')?.asked, 1n)
    assert.equal(view.get('seat'), undefined)
    const changes = view.changes()[Symbol.asyncIterator]()
    const next = changes.next()
    await asking.ask({ item: 'seat' })
    const { value } = await next
    assert.deepEqual([value.kind, value.row.item, value.row.asked], ['+I', 'seat', 1n])
    await changes.return?.(undefined)
    assert.equal(view.size, 2)
    assert.throws(() => db.view('SELECT item FROM reservations', { key: ['id'] }), {
      code: 'COLUMNS_MISMATCH',
    })
    await db.close()
  })
})

test('who waits in vain is told that the event is in the log', async () => {
  await inDirectory(async (directory) => {
    const db = await open({ data: join(directory, 'data'), tables: TABLES })
    const none = `SELECT request, item FROM reservations WHERE item = 'none'`
    const asking = await db.asking(none, ASKING)
    await assert.rejects(asking.ask({ item: 'ticket' }, { timeoutMs: 30 }), { code: 'ANSWER_LATE' })
    await db.close()
  })
})
