/** A project that answers over HTTP: one who asks for the last ticket has it, whatever happens to the process. */
import assert from 'node:assert/strict'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { inDirectory, millrace, type Started, start } from './process.ts'

interface Answered {
  readonly order_id: string
  readonly accepted: boolean
}

async function serving(
  directory: string,
): Promise<{ readonly url: string; readonly server: Started }> {
  const server = start(directory, ['run', '--http', '127.0.0.1:0'])
  await server.until(/serving \S+/)
  const url = /serving (\S+)/.exec(server.said())![1]!
  while ((await fetch(`${url}/readyz`)).status !== 200)
    await new Promise((resolve) => setTimeout(resolve, 20))
  return { url, server }
}

async function order(url: string, id: string): Promise<Answered> {
  const answer = await fetch(`${url}/asks/reservations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': id },
    body: '{"item":"ticket"}',
  })
  assert.equal(answer.status, 200)
  return (await answer.json()) as Answered
}

test('of a hundred who ask over HTTP for the last ticket one has it, and keeps it through a SIGKILL', async () => {
  await inDirectory(async (directory) => {
    cpSync('examples/answers/stock', directory, { recursive: true })
    const first = await serving(directory)
    const told: Answered[] = []
    const asked = Array.from({ length: 100 }, async (_, index) => {
      told.push(await order(first.url, `r${index}`))
      if (told.length === 20) first.server.child.kill('SIGKILL')
    })
    await Promise.allSettled(asked)
    await first.server.ended
    const second = await serving(directory)
    const again = await Promise.all(
      Array.from({ length: 100 }, (_, index) => order(second.url, `r${index}`)),
    )
    const winners = again.filter(({ accepted }) => accepted)
    assert.equal(winners.length, 1)
    // Nobody was told otherwise before.
    for (const before of told)
      assert.equal(before.accepted, before.order_id === winners[0]!.order_id, before.order_id)
    const shelf = await fetch(`${second.url}/views/shelves?item=ticket`)
    assert.equal(await shelf.text(), '{"item":"ticket","asked":100,"sold":1}')
    second.server.child.kill('SIGTERM')
    assert.equal((await second.server.ended).code, 0)
  })
})

test('a key or id that the view does not have is refused before anything is served', async () => {
  await inDirectory(async (directory) => {
    cpSync('examples/answers/stock', directory, { recursive: true })
    for (const [http, said] of [
      [`views: { shelves: { key: ['shelf'] } }`, /shelves has no column shelf.*item, asked, sold/s],
      [`asks: { shelves: { topic: 'orders', id: 'asked' } }`, /asked is no text/],
      [`asks: { none: { topic: 'orders', id: 'x' } }`, /none/],
      [`views: { shelves: { key: [] } }`, /http.views.shelves.key/],
    ] as const) {
      writeFileSync(join(directory, 'millrace.config.ts'), `export default { http: { ${http} } }`)
      const { code, err } = await millrace(directory, ['run', '--http', '127.0.0.1:0'])
      assert.notEqual(code, 0)
      assert.match(err, said)
    }
  })
})
