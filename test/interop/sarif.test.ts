/** What audits say in SARIF, held against the format's own schema, fetched into `.cache/` at first use. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import test from 'node:test'
import { Ajv } from 'ajv'
import { clusterAudit, clusterSarif } from '../../src/advise/audit/cluster-report.ts'
import { AUDIT_CODES, RULES } from '../../src/advise/audit/rules.ts'
import { inDirectory, millrace } from '../cli/process.ts'

const CACHE = resolve('.cache/interop/sarif')
const PACKAGE = '@microsoft/jest-sarif@1.0.0-beta.0'
const SCHEMA = 'package/lib/schemas/sarif-2.1.0-rtm.5.json'

/** Of draft 4, of which it uses nothing that later drafts have not but the name of its id. */
function validator() {
  if (!existsSync(resolve(CACHE, SCHEMA))) {
    mkdirSync(CACHE, { recursive: true })
    const [tarball] = execFileSync('npm', ['pack', '--silent', PACKAGE], {
      cwd: CACHE,
      encoding: 'utf8',
    }).split('\n')
    execFileSync('tar', ['xzf', tarball!], { cwd: CACHE })
  }
  const { $schema: _, id: __, ...schema } = JSON.parse(readFileSync(resolve(CACHE, SCHEMA), 'utf8'))
  return new Ajv({ strict: false, validateFormats: false, unicodeRegExp: false }).compile(schema)
}

test('every finding, its fix and its suppression are what the schema of SARIF 2.1.0 wants', async () => {
  const isValid = validator()
  await inDirectory(async (directory) => {
    for (const code of AUDIT_CODES) {
      const ignored = `-- audit: ignore-file NEED_UNSTATED: tried out\n${RULES[code].has}`
      writeFileSync(join(directory, `${code}.sql`), RULES[code].has)
      writeFileSync(join(directory, `with a blank, ${code}.sql`), ignored)
    }
    const files = AUDIT_CODES.flatMap((code) => [`${code}.sql`, `with a blank, ${code}.sql`])
    const { code, out, err } = await millrace(directory, ['audit', ...files, '--format', 'sarif'])
    assert.equal(code, 0, err)
    const sarif = JSON.parse(out)
    const { results } = sarif.runs[0]
    assert.ok(results.some((each: object) => 'fixes' in each))
    assert.ok(results.some((each: object) => 'suppressions' in each))
    assert.ok(isValid(sarif), JSON.stringify(isValid.errors?.slice(0, 3)))
    assert.ok(!isValid({ version: '2.1.0', runs: [{ tool: {}, results }] }))
  })
})

test('findings of a running Kafka are what the schema wants', () => {
  const isValid = validator()
  const topic = { name: 'orders', partitions: [], replicas: 1, retentionMs: 1, subjects: [] }
  const audit = clusterAudit({ servers: 'k:9092', nowMs: Date.UTC(2026, 0, 31), topics: [topic] })
  assert.ok(audit.findings.length > 1)
  const sarif = JSON.parse(JSON.stringify(clusterSarif(audit, '0.1.0')))
  assert.ok(isValid(sarif), JSON.stringify(isValid.errors?.slice(0, 3)))
})
