import test from 'node:test'
import { runExample } from './run-example.ts'

test('the example in docs/state.md runs as it stands', () => runExample('docs/state.md'))
