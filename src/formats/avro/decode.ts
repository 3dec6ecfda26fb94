/** Avro records, of one or several writers' schemas, to the columns of one table: a kernel for rows, JavaScript for what is inside ARRAYs and MAPs. */
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { encodeNested } from '../../data/nested-cells.ts'
import type { Field } from '../../data/types.ts'
import {
  AVRO_FAULT,
  type AvroFault,
  type AvroProgram,
  createAvroKernel,
} from '../../kernels/avro.ts'
import type { DeadRecord, DecodedRecords } from '../format.ts'
import { selectGood } from '../selection.ts'
import { type AvroPlan, planAvro, type ReaderField } from './plan.ts'
import { type ReadValue, ValueRefused, valueReader } from './read-value.ts'
import { fillRows, type Slots, slotsOf, vectorOf } from './slots.ts'
import type { AvroSchema } from './types.ts'

/** A writer's schema as this table reads it. */
export interface AvroReading {
  /** Why nothing can be read; absent: all may be. */
  readonly mismatch?: string
  readonly plan?: AvroPlan
  readonly program?: AvroProgram
  /** By slot: of ARRAYs and MAPs. */
  readonly nested?: ReadonlyMap<number, ReadValue>
}

/** Rows [from, to) of one writer, each behind `skip` bytes. */
export interface AvroRun {
  readonly from: number
  readonly to: number
  readonly skip: number
  readonly reading: AvroReading
}

export interface AvroDecoder {
  reading(writer: AvroSchema): AvroReading
  /** `runs` cover all rows but those that `dead` names. */
  decode(
    values: Pointer,
    count: number,
    runs: readonly AvroRun[],
    dead: DeadRecord[],
  ): DecodedRecords
  dispose(): void
}

/** @param readers what a reader's schema adds to the columns */
export function createAvroDecoder(
  memory: LinearMemory,
  columns: readonly Field[],
  readers: ReadonlyMap<string, ReaderField> = new Map(),
): AvroDecoder {
  const compile = createAvroKernel(memory)
  const readings: AvroReading[] = []
  return {
    reading(writer) {
      const made = readingOf(compile, writer, columns, readers)
      readings.push(made)
      return made
    },
    decode(values, count, runs, dead) {
      // A plan a writer: each has slots of its own behind the columns, and the columns' are shared.
      const shared = columns.map((column) => slotsOf(memory, column.type, count))
      for (const run of runs) decodeRun(memory, values, run, shared, dead)
      dead.sort((left, right) => left.row - right.row)
      return {
        columns: columns.map((column, index) => vectorOf(column.type, shared[index]!)),
        rowCount: count,
        selection: dead.length === 0 ? 0 : selectGood(memory, count, dead),
        count: count - dead.length,
        kinds: 0,
        records: 0,
        dead,
      }
    },
    dispose() {
      for (const { program } of readings.splice(0)) program?.dispose()
    },
  }
}

function readingOf(
  compile: ReturnType<typeof createAvroKernel>,
  writer: AvroSchema,
  columns: readonly Field[],
  readers: ReadonlyMap<string, ReaderField>,
): AvroReading {
  const plan = planAvro(writer, columns, readers)
  if ('mismatch' in plan) return plan
  const nested = new Map<number, ReadValue>()
  try {
    plan.slots.forEach((slot, index) => {
      if (slot.nested !== undefined) nested.set(index, valueReader(slot.nested, slot.type))
    })
  } catch (error) {
    if (error instanceof ValueRefused) return { mismatch: error.message }
    throw error
  }
  return { plan, program: compile(plan.root), nested }
}

function decodeRun(
  memory: LinearMemory,
  values: Pointer,
  { from, to, skip, reading }: AvroRun,
  shared: readonly Slots[],
  dead: DeadRecord[],
): void {
  const { plan, program, nested } = reading
  if (plan === undefined || program === undefined) {
    for (let row = from; row < to; row++) dead.push({ row, reason: reading.mismatch ?? '' })
    return
  }
  const placed = placedSlots(plan, shared)
  program.place(placed)
  const refused = new Set<number>()
  for (let row = from; row < to; row++) {
    row = program.decode(values, row, to, skip)
    if (row >= to) break
    refused.add(row)
    dead.push({ row, reason: faultText(program.fault()) })
  }
  plan.slots.forEach((slot, index) => {
    const target = placed[index]!
    if (!slot.isWritten) fillRows(memory, slot.type, target, from, to, slot.fallback ?? null)
    else if (program.metNull(index)) target.hasNull = true
    const read = nested?.get(index)
    if (read !== undefined)
      encodeSpans(memory, slot.type, read, target, { from, to, refused, dead })
  })
}

/** The columns' slots, and behind them those of ROWs' fields in the plan's order. */
function placedSlots(plan: AvroPlan, shared: readonly Slots[]): Slots[] {
  const placed: Slots[] = [...shared]
  const visit = (index: number): void => {
    plan.slots[index]!.children.forEach((child, at) => {
      placed[child] = placed[index]!.children[at]!
      visit(child)
    })
  }
  shared.forEach((_, index) => {
    visit(index)
  })
  return placed
}

/** The spans of Avro bytes in an ARRAY's or MAP's cells become what such cells hold. */
function encodeSpans(
  memory: LinearMemory,
  type: Field['type'],
  read: ReadValue,
  { cells, validity }: Slots,
  {
    from,
    to,
    refused,
    dead,
  }: { from: number; to: number; refused: Set<number>; dead: DeadRecord[] },
): void {
  for (let row = from; row < to; row++) {
    const isNull = validity !== 0 && ((memory.u8[validity + (row >> 3)]! >> (row & 7)) & 1) === 0
    const words = (cells >>> 2) + 2 * row
    if (isNull || refused.has(row) || memory.u32[words + 1] === 0) continue
    const bytes = memory.u8.slice(memory.u32[words]!, memory.u32[words]! + memory.u32[words + 1]!)
    try {
      const block = encodeNested(type, read({ bytes, at: 0 }))
      const address = memory.arena.allocate(block.length)
      memory.u8.set(block, address)
      memory.u32[words] = address
      memory.u32[words + 1] = block.length
    } catch (error) {
      if (!(error instanceof ValueRefused)) throw error
      refused.add(row)
      dead.push({ row, reason: error.message })
    }
  }
}

const FAULTS: Readonly<Record<number, string>> = {
  [AVRO_FAULT.end]: 'the record ends too early',
  [AVRO_FAULT.varint]: 'a number does not end within 10 bytes',
  [AVRO_FAULT.branch]: "a branch of a union that the column can't hold",
  [AVRO_FAULT.symbol]: 'a symbol that its enum does not have',
  [AVRO_FAULT.length]: 'a length beyond the record',
  [AVRO_FAULT.utf8]: 'not valid UTF-8',
  [AVRO_FAULT.range]: 'a value out of the range of the column',
  [AVRO_FAULT.after]: 'bytes are left behind the record: it was written with another schema',
  [AVRO_FAULT.depth]: 'nested deeper than 128 levels',
  [AVRO_FAULT.null]: 'null, but declared NOT NULL',
  [AVRO_FAULT.boolean]: 'a boolean that is neither 0 nor 1',
  [AVRO_FAULT.nothing]: 'the record has no value',
  [AVRO_FAULT.count]: 'an array or map of too many items',
}

function faultText({ code, step }: AvroFault): string {
  const what = FAULTS[code] ?? 'it does not decode'
  return step === undefined || step.path === '' ? what : `column ${step.path}: ${what}`
}
