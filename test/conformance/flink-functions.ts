/**
 * Results and errors of functions, as Flink has them: `npm run conformance -- flink-functions FILE`. Each case is SELECT <expr> over one row. Lists
 * what fails or is skipped, then the plain line `N passed, N failed, N skipped`.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { readerOf, writerOf } from '../../src/compile/cells.ts'
import type { Frame } from '../../src/compile/compiled.ts'
import { compileExpression } from '../../src/compile/expression.ts'
import type { Value } from '../../src/compile/value.ts'
import { equalValues } from '../../src/compile/value-order.ts'
import { LinearMemory } from '../../src/data/memory.ts'
import { type DataType, types } from '../../src/data/types.ts'
import { jsonText } from '../../src/data/values.ts'
import { MillraceError } from '../../src/errors.ts'
import type { Expression } from '../../src/plan/expressions.ts'
import { typeText } from '../../src/plan/functions/type-text.ts'
import { bindSelect } from './bind-select.ts'
import { parseType, taggedValue } from './flink-values.ts'

interface Case {
  readonly expr: string
  readonly fields: readonly unknown[]
  readonly fieldTypes: readonly string[]
  readonly kind: 'SqlResultTestItem' | 'SqlErrorTestItem'
  readonly results?: readonly unknown[]
  readonly types?: readonly string[]
}

type Outcome =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed' | 'skipped'; readonly reason: string }

const ROW_US = 1_700_000_000_000_000n
const MEMORY_BYTES = 32 << 20

/** Runs the cases of a gzipped file of JSON lines; returns how many passed, failed and were skipped. */
export function runFlinkFunctions(file: string, print: (line: string) => void) {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  const lines = gunzipSync(readFileSync(file)).toString('utf8').trim().split('\n')
  for (const [index, line] of lines.entries()) {
    const given: Case = JSON.parse(line)
    const outcome = runCase(given)
    counts[outcome.kind]++
    if (outcome.kind !== 'passed')
      print(`${outcome.kind} ${index} ${given.expr.slice(0, 120)}: ${outcome.reason}`)
  }
  print(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
  return counts
}

function runCase(given: Case): Outcome {
  const columnTypes = typesOf(given)
  let bound: readonly Expression[]
  try {
    bound = bindSelect(given.expr, columnTypes)
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    return given.kind === 'SqlErrorTestItem'
      ? { kind: 'passed' }
      : { kind: 'failed', reason: error.message }
  }
  const computed = compute(bound, columnTypes, given.fields)
  if (typeof computed === 'string') {
    return given.kind === 'SqlErrorTestItem'
      ? { kind: 'passed' }
      : { kind: 'failed', reason: computed }
  }
  if (given.kind === 'SqlErrorTestItem') return { kind: 'failed', reason: 'is not refused' }
  return compared(given, bound, computed)
}

/** Columns without a declared type have their values' own. */
function typesOf({ fields, fieldTypes }: Case): readonly (DataType | undefined)[] {
  if (fieldTypes.length > 0) return fieldTypes.map(parseType)
  return fields.map((value) =>
    typeof value === 'number'
      ? types.int
      : typeof value === 'string'
        ? { kind: 'char', length: value.length, nullable: false }
        : undefined,
  )
}

/** The values, or why the row failed. */
function compute(
  bound: readonly Expression[],
  columnTypes: readonly (DataType | undefined)[],
  fields: readonly unknown[],
): readonly Value[] | string {
  const memory = new LinearMemory({ bytesMax: MEMORY_BYTES })
  const columns = columnTypes.map((type, index) => {
    const writer = writerOf(memory, type ?? types.string, 1)
    writer.set(0, type === undefined ? null : taggedValue(fields[index], type))
    return writer.vector
  })
  let failed: string | undefined
  const frame: Frame = {
    memory,
    rowCount: 1,
    columns,
    selection: 0,
    count: 1,
    context: {
      nowUs: () => ROW_US,
      timeZone: 'UTC',
      overflow: 'wrap',
      fail: (_, reason) => {
        failed = reason
      },
      count: () => undefined,
    },
  }
  const values = bound.map((expression) => {
    const vector = compileExpression(expression, { memory, random: Math.random }).evaluate(frame)
    return readerOf(memory, vector)(0)
  })
  return failed ?? values
}

function compared(given: Case, bound: readonly Expression[], values: readonly Value[]): Outcome {
  const [results, resultTypes] = [given.results ?? [], given.types ?? []]
  for (const [index, told] of resultTypes.entries()) {
    const type = parseType(told)
    if (type === undefined) return { kind: 'skipped', reason: `no type ${told}` }
    const actual = typeText(bound[index]!.type)
    if (actual !== typeText(type)) return { kind: 'failed', reason: `is ${actual}, not ${told}` }
    // Random results are told by their type alone.
    if (index >= results.length) continue
    if (!equalValues(values[index]!, taggedValue(results[index], type), type)) {
      const value = values[index]!
      return {
        kind: 'failed',
        reason: `is ${jsonText(value)}, not ${JSON.stringify(results[index])}`,
      }
    }
  }
  return { kind: 'passed' }
}
