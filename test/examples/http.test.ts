import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { open } from '../../src/index.ts'
import { httpReceiver } from '../builders/http-receiver.ts'
import { inDirectory } from '../cli/process.ts'

test('the example of docs/http.md sends what stands below it', async () => {
  const receiver = await httpReceiver()
  await inDirectory(async (directory) => {
    const text = readFileSync('docs/http.md', 'utf8')
    const [tables, insert] = [...text.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, sql]) => sql!)
    const environment = { CHAT_URL: `${receiver.url}/hook`, CHAT_TOKEN: 'secret' }
    const db = await open({
      data: join(directory, 'data'),
      directory,
      environment,
      tables: tables!,
    })
    const run = await db.run(insert!, { name: 'example', until: 'end' })
    assert.equal((await run.finished).kind, 'finished')
    await db.close()
    const [request] = receiver.received
    const [, line, body] = /is sent\n\n```\n(.*)\n[\s\S]*?\n\n(.*)\n```/.exec(text)!
    assert.equal(`${request?.method} ${request?.path}`, line)
    assert.equal(request?.body, body)
    assert.equal(request?.headers.authorization, 'Bearer secret')
  })
  await receiver.close()
})
