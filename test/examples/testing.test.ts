import test from 'node:test'
import { runExample } from './run-example.ts'

test('the example in docs/testing.md runs as it stands', () => runExample('docs/testing.md'))
