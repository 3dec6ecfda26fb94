/** The examples that answer: each README's requests, asked of the real process, have the answers that stand below them. */
import assert from 'node:assert/strict'
import { cpSync, readFileSync } from 'node:fs'
import test from 'node:test'
import { inDirectory, start } from '../cli/process.ts'

const ADDRESS = 'http://127.0.0.1:9464'

for (const example of ['fraud', 'stock', 'recommendation'])
  test(`examples/answers/${example} answers as its README says`, async () => {
    await inDirectory(async (directory) => {
      cpSync(`examples/answers/${example}`, directory, { recursive: true })
      const server = start(directory, ['run', '--http', '127.0.0.1:0'])
      try {
        await server.until(/serving (\S+)/)
        const url = /serving (\S+)/.exec(server.said())![1]!
        await ready(url)
        const asked = [
          ...readFileSync(`examples/answers/${example}/README.md`, 'utf8').matchAll(
            /^curl (.*)\n(\{.*\})$/gm,
          ),
        ]
        assert.ok(asked.length >= 4)
        for (const [, line, answer] of asked)
          assert.equal(await request(line!.replace(ADDRESS, url)), answer)
      } finally {
        server.child.kill('SIGKILL')
        await server.ended
      }
    })
  })

/** The views have read what is there: at first nothing. */
async function ready(url: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}/readyz`)
    if (answer.status === 200) return
    await answer.text()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** What `curl` with these words is answered. */
async function request(line: string): Promise<string> {
  const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2]!)
  const optionOf = (option: string) =>
    words.includes(option) ? words[words.indexOf(option) + 1]! : undefined
  const body = optionOf('-d')
  const url = words.find((word) => word.startsWith('http://'))!
  const answer = await fetch(
    url,
    body === undefined
      ? {}
      : { method: 'POST', body, headers: [optionOf('-H')!.split(': ') as [string, string]] },
  )
  return answer.text()
}
