/** Why a design can't be had: each reason is a constraint with a name, told in the user's figures. */
import { invariant } from '../../errors.ts'
import type { SizedEngine } from '../capacity/engine-load.ts'
import type { Sized } from '../capacity/sized.ts'
import { figure } from '../cost/lines.ts'
import { LOSSES } from '../needs/needs.ts'
import { type EngineCandidate, type PlatformCandidate, RULES } from '../rules/rules.ts'
import { loadOf } from './load.ts'
import { runsAlready } from './operations.ts'
import type { Design, Planned, Situation } from './situation.ts'
import { secondsText } from './words.ts'

export interface Broken {
  /** Of the constraint, in the data of the rules. */
  readonly id: string
  /** What it is about: a platform or an engine by name. */
  readonly of: string
  readonly says: string
}

export interface Weighed {
  readonly design: Design
  readonly situation: Situation
  readonly carried: readonly Planned[]
  readonly scheduled: readonly Planned[]
  readonly hours: number
  readonly log: Sized
  readonly main: SizedEngine
  readonly job?: SizedEngine
}

export function brokenBy(weighed: Weighed): Broken[] {
  const { design, situation, carried, scheduled, main, job } = weighed
  const { platform, engine, batch } = design
  return [
    ...placeOf(platform, situation),
    ...placeOf(engine, situation),
    ...sharedCloud(design, situation),
    ...historyOf(weighed),
    ...availabilityOf(design, situation),
    ...engineOf(engine, main, carried, situation),
    ...(batch === undefined || job === undefined
      ? []
      : [...placeOf(batch, situation), ...engineOf(batch, job, scheduled, situation)]),
    ...operatingOf(weighed),
  ]
}

function told(
  id: string,
  of: string,
  values: { readonly limit?: string; readonly wanted?: string } = {},
): Broken {
  const rule = RULES.constraints.find((each) => each.id === id)
  invariant(rule !== undefined, `there is a constraint ${id}`)
  const says = rule.says
    .replace('{limit}', values.limit ?? '')
    .replace('{wanted}', values.wanted ?? '')
  return { id, of, says }
}

/** True if clouds, compliance or what runs already rule one of its parts out. */
export function isMisplaced(design: Design, situation: Situation): boolean {
  const { platform, engine, batch } = design
  const parts = batch === undefined ? [platform, engine] : [platform, engine, batch]
  return parts.some((each) => placeOf(each, situation).length > 0)
}

/** Clouds, compliance, and what runs already. */
function placeOf(candidate: PlatformCandidate | EngineCandidate, { needs }: Situation): Broken[] {
  const { clouds, compliance, newSystems, platforms } = needs.context
  const { name } = candidate
  const isEngine = 'engine' in candidate
  const runs = runsAlready(candidate, needs.context)
  const broken: Broken[] = []
  if (!candidate.clouds.some((cloud) => clouds.includes(cloud)))
    broken.push(told('cloud', name, { wanted: clouds.join(' or ') }))
  if (compliance.includes('own-machines-only') && !candidate.clouds.includes('own'))
    broken.push(told('own-machines', name))
  if (compliance.includes('no-new-vendor') && candidate.vendor !== null && !runs)
    broken.push(told('new-vendor', name))
  if (!isEngine && platforms.length > 0 && !runs)
    broken.push(told('events-elsewhere', name, { wanted: platforms.join(', ') }))
  if (isEngine && candidate.onlyIfRun && !runs) broken.push(told('only-if-run', name))
  const isSystem = isEngine || candidate.platform !== 'files'
  if (newSystems === 'refused' && isSystem && !runs) broken.push(told('new-system', name))
  return broken
}

function sharedCloud({ platform, engine }: Design, { needs }: Situation): Broken[] {
  const { clouds } = needs.context
  const each = [platform, engine].every((one) => one.clouds.some((it) => clouds.includes(it)))
  const both = clouds.some((it) => platform.clouds.includes(it) && engine.clouds.includes(it))
  if (!each || both) return []
  return [told('cloud', engine.name, { wanted: 'the cloud of the platform' })]
}

function historyOf({ design, situation, log }: Weighed): Broken[] {
  const { platform } = design
  const { book, logDays } = situation
  const broken: Broken[] = []
  if (platform.retentionLimit !== null && book.limit(platform.retentionLimit) < logDays)
    broken.push(
      told('retention', platform.name, {
        limit: `${book.limit(platform.retentionLimit)} days`,
        wanted: `${figure(logDays)} days`,
      }),
    )
  if (log.exceeds !== undefined)
    broken.push(told('throughput', platform.name, { limit: log.exceeds }))
  return broken
}

/** Of what runs continuously. A scheduled run that fails is run again. */
function availabilityOf({ platform, engine }: Design, { needs }: Situation): Broken[] {
  if (engine.form === 'scheduled') return []
  const wanted = needs.context.availability
  const checked = platform.followsEngine ? [engine] : [platform, engine]
  return checked.flatMap(({ name, survives, rtoSeconds, rpoSeconds }) => {
    const broken: Broken[] = []
    if (LOSSES.indexOf(survives) < LOSSES.indexOf(wanted.survives))
      broken.push(told('survives', name, { limit: survives, wanted: wanted.survives }))
    if (rtoSeconds > wanted.rtoSeconds || rpoSeconds > wanted.rpoSeconds)
      broken.push(
        told('rto', name, {
          limit: secondsText(rtoSeconds),
          wanted: secondsText(wanted.rtoSeconds),
        }),
      )
    return broken
  })
}

function engineOf(
  engine: EngineCandidate,
  sized: SizedEngine,
  carried: readonly Planned[],
  situation: Situation,
): Broken[] {
  const { book, tables } = situation
  const { name, latencySecondsLeast, stateLimit } = engine
  const broken: Broken[] = []
  const freshest = Math.min(...carried.map(({ seconds }) => seconds))
  if (latencySecondsLeast > freshest)
    broken.push(
      told('freshness', name, {
        limit: secondsText(latencySecondsLeast),
        wanted: secondsText(freshest),
      }),
    )
  const { state } = loadOf(carried.map(({ output }) => output))
  if (stateLimit !== null && state > book.limit(stateLimit))
    broken.push(
      told('state', name, {
        limit: `${book.limit(stateLimit)} GB`,
        wanted: `${figure(state)} GB`,
      }),
    )
  if (sized.exceeds !== undefined) broken.push(told('throughput', name, { limit: sized.exceeds }))
  const writes = carried.some((each) => tables.includes(each))
  if (writes && !engine.writesTables) broken.push(told('writes-tables', name))
  if ((sized.runShare ?? 0) > book.limit('schedule-share-max'))
    broken.push(told('run-time', name, { limit: `${figure((sized.runShare ?? 0) * 100)} %` }))
  return broken
}

function operatingOf({ design, situation, hours }: Weighed): Broken[] {
  const there = situation.needs.context.operatingHours
  if (there === undefined || hours <= there) return []
  const of = [design.platform, design.engine].map(({ name }) => name).join(' with ')
  return [
    told('operating-hours', of, { limit: `${figure(hours)} h`, wanted: `${figure(there)} h` }),
  ]
}
