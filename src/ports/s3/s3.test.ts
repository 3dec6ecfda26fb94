import assert from 'node:assert/strict'
import test from 'node:test'
import { nodePorts } from '../node/ports.ts'
import { entriesOf, textOf } from './listing.ts'
import { s3Objects } from './objects.ts'
import { presignedUrl, s3Encoded, s3Headers } from './signature.ts'

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

test("a url is signed as in Amazon's documentation, and in its test suite with and without a session token", () => {
  const signatureOf = (request: Parameters<typeof presignedUrl>[0]) =>
    new URL(presignedUrl(request)).searchParams.get('X-Amz-Signature')
  assert.equal(
    signatureOf({
      url: 'https://examplebucket.s3.amazonaws.com/test.txt',
      ...{ service: 's3', region: 'us-east-1', expiresSeconds: 86_400 },
      nowMs: Date.UTC(2013, 4, 24),
      credentials: {
        accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
        secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      },
      bodyHash: 'UNSIGNED-PAYLOAD',
    }),
    'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
  )
  const suite = {
    ...{ service: 'service', region: 'us-east-1', expiresSeconds: 3600 },
    nowMs: Date.UTC(2015, 7, 30, 12, 36),
  }
  const credentials = {
    accessKeyId: 'AKIDEXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  }
  const twoParameters = 'https://example.amazonaws.com/?Param2=value2&Param1=value1'
  assert.equal(
    signatureOf({ ...suite, credentials, url: twoParameters }),
    '86012e2c9ad4d77369f5d81c11f75158aae4f895a085212cc6d3f923d300bed5',
  )
  const sessionToken = '6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267'
  assert.equal(
    signatureOf({
      ...suite,
      credentials: { ...credentials, sessionToken },
      url: 'https://example.amazonaws.com/',
    }),
    '7ff2b50b376cb4d151970630573d6291dc128cc5c2a12ffb237f73cc53f67b6c',
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
