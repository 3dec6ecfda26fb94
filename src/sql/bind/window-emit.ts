/**
 * When the windows of a GROUP BY are told besides once: by SET with Flink's names, or for one SELECT by a hint behind it, which then
 * stands for all of SET: EMIT('allow-lateness' = '1 min', 'early-fire.delay' = '10 s', 'late-fire.delay' = '5 s').
 *
 * @see Flink, WindowEmitStrategy: of windows in GROUP BY alone; here of window table functions too
 */
import { inputsOf, withInputs } from '../../plan/inputs.ts'
import type { PlanNode, WindowAggregate } from '../../plan/nodes.ts'
import type { WindowEmit } from '../../plan/windows.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type { EmitHint, SelectSyntax } from '../syntax.ts'
import { durationUs } from './duration.ts'

const PREFIX = 'table.exec.emit.'
const KEYS = ['allow-lateness', 'early-fire.delay', 'late-fire.delay'] as const

/** `groups` is a GROUP BY as a node; its windows, if it has any, are told as the hint or SET say. @throws SqlError */
export function emitting(
  groups: PlanNode,
  { emit: hint, at }: Pick<SelectSyntax, 'emit' | 'at'>,
  settings: ReadonlyMap<string, string>,
): PlanNode {
  const asked = hint === undefined ? bySettings(settings, at) : byHint(hint)
  const place = hint?.at ?? at
  const visit = (node: PlanNode): PlanNode => {
    if (node.kind === 'window-aggregate') return told(node, asked, place)
    // What aggregateNode may put above.
    if (node.kind !== 'project' && node.kind !== 'filter') return node
    const input = visit(node.input)
    return input === node.input ? node : withInputs(node, [input])
  }
  return visit(groups)
}

function told(node: WindowAggregate, asked: WindowEmit | undefined, at: Place): WindowAggregate {
  const emit = node.timeDomain === 'processing' ? early(asked) : asked
  if (node.timeDomain !== 'processing') checkInput(node, emit?.latenessUs ?? 0, at)
  if (emit === undefined) return node
  if (node.window.kind !== 'session') return { ...node, emit }
  throw new SqlError('SQL_UNSUPPORTED', at, {
    message: 'sessions are told once, when they close: they have no early or late firing',
    hint: "give the queries of other windows a hint instead of SET: SELECT /*+ EMIT('allow-lateness' = '1 min') */; or this one /*+ EMIT() */, and its late rows go to $late",
  })
}

/** By the clock nothing is late. */
function early(asked: WindowEmit | undefined): WindowEmit | undefined {
  return asked?.earlyDelayUs === undefined
    ? undefined
    : { latenessUs: 0, earlyDelayUs: asked.earlyDelayUs }
}

/** What windows beneath correct must not be late here. */
function checkInput(node: WindowAggregate, latenessUs: number, at: Place): void {
  const beneath = corrected(node.input)
  if (beneath <= latenessUs) return
  throw new SqlError('SQL_UNSUPPORTED', at, {
    message: `windows of a result that is corrected for ${beneath / 1000} ms must take corrections as long, and these do for ${latenessUs / 1000} ms`,
    hint: `SET '${PREFIX}allow-lateness' for all, or give both queries the same hint EMIT('allow-lateness' = ...)`,
  })
}

/** The longest that any windows beneath are corrected, µs. */
function corrected(node: PlanNode): number {
  const own = node.kind === 'window-aggregate' ? (node.emit?.latenessUs ?? 0) : 0
  return Math.max(own, ...inputsOf(node).map(corrected))
}

function bySettings(settings: ReadonlyMap<string, string>, at: Place): WindowEmit | undefined {
  const delay = (which: 'early-fire' | 'late-fire'): number | undefined => {
    if (!isTrue(settings, `${PREFIX}${which}.enabled`, at)) return undefined
    const name = `${PREFIX}${which}.delay`
    const value = settings.get(name)
    if (value === undefined) throw delayMissing(which, at)
    return duration(name, value, at)
  }
  const name = `${PREFIX}allow-lateness`
  const lateness = settings.get(name)
  return emitOf(
    lateness === undefined ? 0 : duration(name, lateness, at),
    delay('early-fire'),
    delay('late-fire'),
    at,
  )
}

function byHint({ options, at }: EmitHint): WindowEmit | undefined {
  const given = new Map<string, number>()
  for (const { key, keyAt, value, valueAt } of options) {
    if (!KEYS.some((each) => each === key)) {
      throw new SqlError('SQL_OPTION_INVALID', keyAt, {
        message: `EMIT has no option '${key}'`,
        hint: `it has ${KEYS.map((each) => `'${each}'`).join(', ')}`,
        facts: { option: key },
      })
    }
    given.set(key, duration(key, value, valueAt))
  }
  const [lateness, earlyDelay, lateDelay] = KEYS.map((key) => given.get(key))
  return emitOf(lateness ?? 0, earlyDelay, lateDelay, at)
}

function emitOf(
  latenessUs: number,
  earlyDelayUs: number | undefined,
  lateDelayUs: number | undefined,
  at: Place,
): WindowEmit | undefined {
  if (lateDelayUs !== undefined && latenessUs === 0) {
    throw new SqlError('SQL_OPTION_INVALID', at, {
      message: 'late firing needs rows that may be late, and none may',
      hint: "allow some lateness: 'table.exec.emit.allow-lateness' = '1 min', or 'allow-lateness' in EMIT(...)",
    })
  }
  if (latenessUs === 0 && earlyDelayUs === undefined) return undefined
  return {
    latenessUs,
    ...(lateDelayUs === undefined || lateDelayUs === 0 ? {} : { lateDelayUs }),
    ...(earlyDelayUs === undefined ? {} : { earlyDelayUs }),
  }
}

function isTrue(settings: ReadonlyMap<string, string>, name: string, at: Place): boolean {
  const value = settings.get(name) ?? 'false'
  if (/^(true|false)$/i.test(value)) return value.toLowerCase() === 'true'
  throw new SqlError('SQL_OPTION_INVALID', at, {
    message: `'${name}' can't be '${value}'`,
    hint: 'it is true or false',
    facts: { option: name, value },
  })
}

function duration(name: string, value: string, at: Place): number {
  const us = durationUs(value)
  if (us !== undefined) return us
  throw new SqlError('SQL_OPTION_INVALID', at, {
    message: `'${value}' is no duration`,
    hint: `write a number and its unit: '${name}' = '10 s'`,
    facts: { option: name, value },
  })
}

function delayMissing(which: string, at: Place): SqlError {
  return new SqlError('SQL_OPTION_INVALID', at, {
    message: `'${PREFIX}${which}.enabled' is set, and no delay`,
    hint: `SET '${PREFIX}${which}.delay' = '10 s'; '0 s' tells each row at once`,
    facts: { option: `${PREFIX}${which}.delay` },
  })
}
