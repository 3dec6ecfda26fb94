import assert from 'node:assert/strict'
import test from 'node:test'
import { nodePorts } from '../node/ports.ts'
import { entriesOf, textOf } from './listing.ts'
import { s3Objects } from './objects.ts'
import { s3Encoded, s3Headers } from './signature.ts'

test("a request is signed as in Amazon's documentation", () => {
  const { authorization } = s3Headers({
    method: 'GET',
    url: 'https://examplebucket.s3.amazonaws.com/test.txt',
    region: 'us-east-1',
    body: new Uint8Array(),
    nowMs: Date.UTC(2013, 4, 24),
    credentials: {
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    },
    headers: { range: 'bytes=0-9' },
  })
  assert.match(
    authorization!,
    /Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41$/,
  )
})

test('keys are encoded as S3 wants them', () => {
  assert.equal(s3Encoded("a b/ü'(x)!*~", true), 'a%20b/%C3%BC%27%28x%29%21%2A~')
  assert.equal(s3Encoded('a/b'), 'a%2Fb')
})

test('a listing tells keys of any characters', () => {
  const text = `<ListBucketResult><IsTruncated>true</IsTruncated>
    <Contents><Key>t/x%3D1/a+b%26.json</Key><LastModified>2026-01-31T12:00:00.000Z</LastModified><Size>12</Size></Contents>
    <NextContinuationToken>a&amp;b=</NextContinuationToken></ListBucketResult>`
  assert.deepEqual(entriesOf(text), [
    { key: 't/x=1/a b&.json', bytes: 12, modifiedMs: Date.UTC(2026, 0, 31, 12) },
  ])
  assert.equal(textOf(text, 'NextContinuationToken'), 'a&b=')
  assert.equal(textOf(text, 'KeyMarker'), undefined)
})

test('a store without credentials, and a url without a bucket, are refused at once', () => {
  const outside = nodePorts()
  assert.throws(() => s3Objects(outside, {}, 's3://bucket/t'), { code: 'STORE_DENIED' })
  assert.throws(() => s3Objects(outside, {}, 's3:///t'), { code: 'STORE_UNSUPPORTED' })
})
