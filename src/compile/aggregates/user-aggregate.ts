/**
 * Aggregate functions of users: what a group keeps is a ROW of the declared fields, encoded in one cell; an empty cell is a group that
 * has accumulated nothing.
 *
 * Rows are accumulated before anything else takes them, by all functions or by none: a row that one throws for leaves no trace, and is
 * told. Where rows can't be set aside the pipeline stops instead.
 */
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { DataType } from '../../data/types.ts'
import { invariant, MillraceError } from '../../errors.ts'
import { userFunctionName } from '../../plan/functions/user.ts'
import { writerOf } from '../cells.ts'
import type { Frame } from '../compiled.ts'
import { type AggregateCode, userCode } from '../user-code.ts'
import {
  encodedFields,
  type Fields,
  failureOf,
  fieldsOf,
  requireNothing,
  resultCell,
  toldAt,
  UTC,
} from '../user-values.ts'
import type { Accumulator } from './accumulator.ts'
import type { GroupTable, Taken } from './aggregate-set.ts'
import type { ReadResult } from './results.ts'
import type { RowInput } from './row-input.ts'

/** One function, the rows that it takes, and its cell. */
export interface UserSlot {
  readonly id: string
  readonly input: RowInput
  readonly valueIndex: number
}

export function userAccumulator(memory: LinearMemory, id: string): Accumulator {
  const code = userCode(id, 'aggregate')
  return {
    cells: ['bytes'],
    add: () => invariant(false, `${id} takes rows by itself`) as never,
    merge(groups, into, from, count, offset, valueIndex) {
      for (let at = 0; at < count; at++) {
        const added = stateAt(memory, code, memory.u32[from / 4 + at]! + offset)
        if (added === undefined) continue
        const entry = memory.u32[into / 4 + at]!
        const state = stateAt(memory, code, entry + offset)
        const both = state === undefined ? added : mergedInto(state, added, id, code)
        writeState(
          memory,
          groups,
          entry,
          valueIndex,
          stopsFor(id, () => encoded(code, both)),
        )
      }
    },
  }
}

function mergedInto(state: Fields, added: Fields, id: string, code: AggregateCode): Fields {
  invariant(code.merge !== undefined, `${id} is merged only if it can be`)
  stopsFor(id, () => requireNothing(code.merge!(state, [added]), 'merge'))
  return state
}

/** @throws FUNCTION_FAILED if there is no value, unless the group has accumulated nothing: then it is NULL */
export function userResult(memory: LinearMemory, id: string, type: DataType): ReadResult {
  const code = userCode(id, 'aggregate')
  return (entries, count, { value }) => {
    const writer = writerOf(memory, type, count)
    for (let at = 0; at < count; at++) {
      const state = stateAt(memory, code, memory.u32[entries / 4 + at]! + value)
      if (state === undefined) writer.set(at, ofNoRows(code, type))
      else {
        const give = () => resultCell(code.getValue(state), type, UTC)
        writer.set(at, stopsFor(id, give))
      }
    }
    return writer.vector
  }
}

function ofNoRows(code: AggregateCode, type: DataType) {
  try {
    return resultCell(code.getValue(code.createAccumulator()), type, UTC)
  } catch {
    return null
  }
}

/** Adds or takes the frame's rows; where some fail, gives those that did not. `setsAside` false: the first stops the pipeline. */
export function addToUsers(
  slots: readonly UserSlot[],
  groups: GroupTable,
  frame: Frame,
  entries: Pointer,
  sign: 1 | -1,
  setsAside: boolean,
): Taken | undefined {
  if (slots.length === 0) return undefined
  const failure = addAll(slots, groups, frame, entries, sign)
  if (failure === undefined) return undefined
  if (!setsAside) throw failed(failure)
  return addOneByOne(slots, groups, frame, entries, sign)
}

function addOneByOne(
  slots: readonly UserSlot[],
  groups: GroupTable,
  frame: Frame,
  entries: Pointer,
  sign: 1 | -1,
): Taken {
  const { memory, context, selection, count } = frame
  const rows = memory.arena.allocate(4 * count)
  const rowEntries = memory.arena.allocate(4 * count)
  const kept = memory.arena.allocate(4 * count)
  const keptEntries = memory.arena.allocate(4 * count)
  let taken = 0
  for (let at = 0; at < count; at++) {
    const row = selection === 0 ? at : memory.u32[selection / 4 + at]!
    memory.u32[rows / 4 + at] = row
    memory.u32[rowEntries / 4 + at] = memory.u32[entries / 4 + at]!
    const one = { ...frame, selection: rows + 4 * at, count: 1 }
    const failure = addAll(slots, groups, one, rowEntries + 4 * at, sign)
    if (failure !== undefined) {
      context.fail(row, failure.reason, false)
      continue
    }
    memory.u32[kept / 4 + taken] = row
    memory.u32[keptEntries / 4 + taken++] = memory.u32[entries / 4 + at]!
  }
  return { selection: kept, count: taken, entries: keptEntries }
}

interface Failure {
  readonly reason: string
  readonly cause: unknown
}

/** All rows or, if one fails, none. */
function addAll(
  slots: readonly UserSlot[],
  groups: GroupTable,
  frame: Frame,
  entries: Pointer,
  sign: 1 | -1,
): Failure | undefined {
  const { memory } = frame
  const writes: (() => void)[] = []
  for (const slot of slots) {
    const { id, valueIndex } = slot
    const code = userCode(id, 'aggregate')
    try {
      for (const [entry, state] of accumulated(slot, code, groups, frame, entries, sign)) {
        const bytes = encoded(code, state)
        writes.push(() => writeState(memory, groups, entry, valueIndex, bytes))
      }
    } catch (cause) {
      return { reason: failureOf(cause, userFunctionName(id)), cause }
    }
  }
  for (const write of writes) write()
  return undefined
}

/** What the groups of the rows have then. @throws what the function throws */
function accumulated(
  { input, valueIndex }: UserSlot,
  code: AggregateCode,
  groups: GroupTable,
  frame: Frame,
  entries: Pointer,
  sign: 1 | -1,
): ReadonlyMap<Pointer, Fields> {
  const { memory } = frame
  const states = new Map<Pointer, Fields>()
  const rows = input.rows(frame, entries)
  if (rows === undefined) return states
  const offset = groups.valueOffset(valueIndex)
  for (let at = 0; at < rows.count; at++) {
    const entry = memory.u32[rows.entries / 4 + at]!
    const row = rows.selection === 0 ? at : memory.u32[rows.selection / 4 + at]!
    let state = states.get(entry)
    if (state === undefined) {
      state = stateAt(memory, code, entry + offset) ?? { ...code.createAccumulator() }
      states.set(entry, state)
    }
    const values = rows.vectors.map((vector) => toldAt(memory, vector, row))
    if (sign > 0) requireNothing(code.accumulate(state, ...values), 'accumulate')
    else requireNothing(code.retract!(state, ...values), 'retract')
  }
  return states
}

function stateAt({ u8, u32 }: LinearMemory, code: AggregateCode, cell: Pointer) {
  const [address, bytes] = [u32[cell / 4]!, u32[cell / 4 + 1]!]
  return bytes === 0 ? undefined : fieldsOf(code.state, u8.slice(address, address + bytes))
}

function encoded(code: AggregateCode, state: Fields): Uint8Array {
  return encodedFields(code.state, state, UTC)
}

function writeState(
  memory: LinearMemory,
  groups: GroupTable,
  entry: Pointer,
  valueIndex: number,
  bytes: Uint8Array,
): void {
  const mark = memory.arena.mark()
  const address = memory.arena.allocate(bytes.length)
  memory.u8.set(bytes, address)
  groups.setBytes(entry, valueIndex, address, bytes.length)
  memory.arena.release(mark)
}

/** Of a group as a whole there is no row to be set aside. */
function stopsFor<Result>(id: string, run: () => Result): Result {
  try {
    return run()
  } catch (cause) {
    throw failed({ reason: failureOf(cause, userFunctionName(id)), cause })
  }
}

function failed({ reason, cause }: Failure): MillraceError {
  return new MillraceError('FUNCTION_FAILED', {
    message: reason,
    hint: 'what it says can be no single row’s fault, or the row may be taken back: mend the function, give it another version, and start again',
    facts: { reason },
    cause,
  })
}
