/** The token for Amazon MSK beside that of Amazon's own package, of the same credentials at the same time. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { mskToken } from '../../src/connectors/kafka/msk-token.ts'

const HOME = resolve('.cache/interop/msk')
const PYTHON = resolve(HOME, 'bin/python')
const SIGN = `import sys
from aws_msk_iam_sasl_signer import MSKAuthTokenProvider
print(MSKAuthTokenProvider.generate_auth_token(sys.argv[1])[0])`

function fetchSigner(): void {
  if (existsSync(resolve(HOME, '.done'))) return
  execFileSync('python3', ['-m', 'venv', '--clear', HOME], { stdio: 'inherit' })
  const packages = ['aws-msk-iam-sasl-signer-python==1.0.2']
  execFileSync(PYTHON, ['-m', 'pip', 'install', '-q', ...packages], { stdio: 'inherit' })
  writeFileSync(resolve(HOME, '.done'), '')
}

test("the token is, but for who made it, what Amazon's package makes, with and without a session", () => {
  fetchSigner()
  for (const [region, sessionToken] of [
    ['us-east-1', undefined],
    ['eu-north-1', 'a session/with+odd=characters'],
  ] as const) {
    const credentials = {
      accessKeyId: 'AKIDEXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
      ...(sessionToken === undefined ? {} : { sessionToken }),
    }
    const environment = {
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      ...(sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: sessionToken }),
    }
    const told = execFileSync(PYTHON, ['-c', SIGN, region], { env: environment, encoding: 'utf8' })
    const theirs = asked(told.trim())
    const date = theirs.parameters['X-Amz-Date']!
    const [, ...parts] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date)!
    const [year, month, day, hour, minute, second] = parts.map(Number)
    const nowMs = Date.UTC(year!, month! - 1, day, hour, minute, second)
    assert.deepEqual(asked(mskToken(region, credentials, nowMs)), theirs)
  }
})

function asked(token: string) {
  const { origin, pathname, searchParams } = new URL(Buffer.from(token, 'base64url').toString())
  const { 'User-Agent': _, ...parameters } = Object.fromEntries(searchParams)
  return { origin, pathname, parameters }
}
