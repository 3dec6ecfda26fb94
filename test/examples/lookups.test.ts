import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { open } from '../../src/index.ts'
import { httpReceiver } from '../builders/http-receiver.ts'
import { inDirectory } from '../cli/process.ts'

test('the example of docs/lookups.md gives the rows that stand below it, after as many requests as it says', async () => {
  const text = readFileSync('docs/lookups.md', 'utf8')
  const [, path, answer] = /`GET (\S+)` → `(.*?)`/.exec(text)!
  const service = await httpReceiver((received, response) => {
    if (received.path === path) response.end(answer)
    else response.writeHead(404).end()
  })
  await inDirectory(async (directory) => {
    const [tables, query] = [...text.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, sql]) => sql!)
    const environment = { CUSTOMERS_URL: service.url, CUSTOMERS_TOKEN: 'secret' }
    const db = await open({
      data: join(directory, 'data'),
      directory,
      environment,
      tables: tables!,
    })
    const rows: string[] = []
    for await (const row of db.query(query!)) rows.push(JSON.stringify(row))
    await db.close()
    assert.deepEqual(rows.sort(), /```json\n([\s\S]*?)\n```/.exec(text)![1]!.split('\n'))
    assert.equal(service.received.length, 2)
    assert.equal(service.received[0]!.headers.authorization, 'Bearer secret')
  })
  await service.close()
})
