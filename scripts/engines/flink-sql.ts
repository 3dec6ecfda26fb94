/** A session of Flink's SQL Gateway over its REST API: statements in, rows with their kinds out. */
import { setTimeout as sleep } from 'node:timers/promises'
import { FLINK_GATEWAY, FLINK_REST } from './flink.ts'

export interface FlinkRow {
  readonly kind: 'INSERT' | 'UPDATE_BEFORE' | 'UPDATE_AFTER' | 'DELETE'
  readonly fields: readonly unknown[]
}

export interface FlinkSession {
  /** Runs a statement and gives all rows of its result. For INSERT, waits until the job has ended. */
  execute(sql: string): Promise<readonly FlinkRow[]>
  /** Runs an INSERT and waits for its job; its duration in ms. */
  insert(sql: string, timeoutMs?: number): Promise<{ readonly durationMs: number }>
  close(): Promise<void>
}

interface Page {
  readonly resultType: 'NOT_READY' | 'PAYLOAD' | 'EOS'
  readonly jobID?: string
  readonly nextResultUri?: string
  readonly results?: { readonly data: readonly FlinkRow[] }
}

export async function openFlinkSession(
  settings: Readonly<Record<string, string>> = {},
): Promise<FlinkSession> {
  const { sessionHandle } = await call<{ sessionHandle: string }>(
    'POST',
    `${FLINK_GATEWAY}/sessions`,
    {
      properties: settings,
    },
  )
  const base = `${FLINK_GATEWAY}/sessions/${sessionHandle}`
  const submit = async (sql: string): Promise<string> => {
    const body = { statement: sql }
    const { operationHandle } = await call<{ operationHandle: string }>(
      'POST',
      `${base}/statements`,
      body,
    )
    return `${base}/operations/${operationHandle}/result/0?rowFormat=JSON`
  }
  return {
    execute: async (sql) => (await readAll(await submit(sql), false)).rows,
    async insert(sql, timeoutMs = 600_000) {
      const { job } = await readAll(await submit(sql), true)
      if (job === undefined) throw new Error(`no job came of: ${sql}`)
      return waitForJob(job, timeoutMs)
    },
    async close() {
      await call('DELETE', base)
    },
  }
}

async function readAll(
  first: string,
  stopAtJob: boolean,
): Promise<{ rows: FlinkRow[]; job: string | undefined }> {
  const rows: FlinkRow[] = []
  let job: string | undefined
  for (let url: string | undefined = first; url !== undefined; ) {
    const page: Page = await call<Page>('GET', url)
    job ??= page.jobID
    if (page.resultType === 'NOT_READY') {
      await sleep(20)
      continue
    }
    rows.push(...(page.results?.data ?? []))
    if (page.resultType === 'EOS' || (stopAtJob && job !== undefined)) break
    url =
      page.nextResultUri === undefined ? undefined : new URL(page.nextResultUri, FLINK_GATEWAY).href
    if (page.results?.data.length === 0) await sleep(20)
  }
  return { rows, job }
}

async function waitForJob(job: string, timeoutMs: number): Promise<{ durationMs: number }> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const { state, duration } = await call<{ state: string; duration: number }>(
      'GET',
      `${FLINK_REST}/jobs/${job}`,
    )
    if (state === 'FINISHED') return { durationMs: duration }
    if (state === 'FAILED' || state === 'CANCELED') throw new Error(`Flink job ${job} has ${state}`)
    if (Date.now() > deadline) {
      await fetch(`${FLINK_REST}/jobs/${job}?mode=cancel`, { method: 'PATCH' })
      throw new Error(`Flink job ${job} did not end within ${timeoutMs} ms`)
    }
    await sleep(50)
  }
}

async function call<Answer>(method: string, url: string, body?: unknown): Promise<Answer> {
  const response = await fetch(url, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${url}: ${rootCause(text)}`)
  return JSON.parse(text) as Answer
}

/** Of a Java stack trace in JSON, the message that it goes back to. */
function rootCause(text: string): string {
  const causes = text.split('Caused by: ')
  return causes.at(-1)!.split(String.raw`\n\tat `)[0]!.slice(0, 3000)
}
