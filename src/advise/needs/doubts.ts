/** Needs that are well formed and can't be meant: zero and absurd figures, and answers that contradict one another. */
import { figure } from '../cost/lines.ts'
import { CANDIDATES } from '../rules/rules.ts'
import { findingAt, type NeedsFinding } from './findings.ts'
import type { Located, Path } from './located.ts'
import type { Context, Output } from './needs.ts'

type Tell = (path: Path, message: string, hint: string) => void

const RATE_MAX = 1e9
const EVENT_BYTES_MAX = 100e6
const BYTES_A_SECOND_MAX = 1e12
const FRESHNESS_SECONDS_MAX = 366 * 86_400
const HISTORY_DAYS_MAX = 100 * 366

/** Errors refuse the needs; doubts stand in the advice. */
export function doubtsOf(
  located: Located,
  code: string,
  context: Context,
  outputs: readonly Output[],
): NeedsFinding[] {
  const findings: NeedsFinding[] = []
  const tell =
    (severity: NeedsFinding['severity']): Tell =>
    (path, message, hint) =>
      findings.push(findingAt(located, located.placeOf(path), { severity, message, hint, code }))
  const refuse = tell('error')
  const doubt = tell('doubt')
  doubtContext(context, refuse)
  const names = new Map<string, number>()
  outputs.forEach((output, index) => {
    const at = (field: string): Path => ['outputs', index, field]
    if (names.has(output.name))
      refuse(at('name'), `two outputs are called \`${output.name}\``, 'give each its own name')
    names.set(output.name, index)
    refuseFigures(output, at, refuse)
    doubtAnswers(output, at, doubt)
    refuseStack(context, output, at, refuse)
    doubtStream(output, outputs.slice(0, index), at, doubt)
  })
  return findings
}

function doubtContext(context: Context, refuse: Tell): void {
  const { clouds, compliance, platforms, engines } = context
  if (compliance.includes('own-machines-only') && !clouds.includes('own'))
    refuse(
      ['context', 'clouds'],
      `nothing may leave your own machines, but \`clouds\` has only ${clouds.join(', ')}`,
      'write `clouds: [own]`, or take `own-machines-only` out of `compliance`',
    )
  const elsewhere = (field: 'platforms' | 'engines', name: string, homes: readonly string[]) => {
    if (homes.length === 0 || homes.some((home) => clouds.some((cloud) => cloud === home))) return
    refuse(
      ['context', field],
      `\`${name}\` runs on ${homes.join(', ')}, and \`clouds\` has only ${clouds.join(', ')}`,
      `add ${homes[0]} to \`clouds\`, or take ${name} away`,
    )
  }
  for (const name of platforms)
    elsewhere(
      'platforms',
      name,
      homesOf(CANDIDATES.platforms, (each) => [each.id, each.platform], name),
    )
  for (const name of engines)
    elsewhere(
      'engines',
      name,
      homesOf(CANDIDATES.engines, (each) => [each.id, each.engine], name),
    )
}

/** Clouds that have one of the candidates of this name. */
function homesOf<Each extends { readonly clouds: readonly string[] }>(
  candidates: readonly Each[],
  namesOf: (each: Each) => readonly string[],
  name: string,
): string[] {
  const named = candidates.filter((each) => namesOf(each).includes(name))
  return [...new Set(named.flatMap(({ clouds }) => clouds))]
}

function refuseFigures(output: Output, at: (field: string) => Path, refuse: Tell): void {
  const { rate, peak, bytes, freshnessSeconds, historyDays } = output
  if (rate <= 0)
    refuse(at('rate'), 'no events at all: there is nothing to advise on', 'write `50/s` or `2 M/d`')
  if (rate > RATE_MAX)
    refuse(
      at('rate'),
      `${rate} events a second are more than any single system has`,
      'check the unit: `/s`, `/min`, `/h` or `/d`; k is thousand, M million',
    )
  if (peak < rate)
    refuse(
      at('peak'),
      `the peak (${peak}/s) is below the mean (${rate}/s)`,
      'write the busiest minute, or leave `peak` out',
    )
  if (bytes <= 0) refuse(at('bytes'), 'an event of no bytes', 'write `500 B`, or `2 KB`')
  if (bytes > EVENT_BYTES_MAX)
    refuse(
      at('bytes'),
      `an event of ${bytes / 1e6} MB is a file`,
      'write the size of the message that tells of the file, not of the file',
    )
  if (peak * bytes > BYTES_A_SECOND_MAX)
    refuse(
      at('bytes'),
      `${figure((peak * bytes) / 1e12)} TB/s at the peak: no stream is as wide`,
      'check both units, of `rate` and of `bytes`',
    )
  if (freshnessSeconds <= 0)
    refuse(at('freshness'), 'nothing is there before it happens', 'write `1 s` or more')
  if (freshnessSeconds > FRESHNESS_SECONDS_MAX)
    refuse(at('freshness'), 'fresher than a year is not needed', 'write `1 d`, or leave it out')
  if (historyDays > HISTORY_DAYS_MAX)
    refuse(at('history'), 'a history of more than a century', 'check the unit: `d` are days')
}

function doubtAnswers(output: Output, at: (field: string) => Path, doubt: Tell): void {
  const { consequence, freshnessSeconds, what, lossIfOneHourOld } = output
  if (consequence === 'nothing' && freshnessSeconds < 3600)
    doubt(
      at('freshness'),
      `\`${output.name}\` asks for ${freshnessSeconds} s, but nothing breaks if it is an hour old`,
      'the hour is advised; if something does break, say so in `consequence`',
    )
  if (consequence === 'nothing' && (what === 'alert' || what === 'decision'))
    doubt(
      at('consequence'),
      `\`${output.name}\` is ${what === 'alert' ? 'an alert' : 'a decision'} that may be an hour old`,
      'if one acts on it at once: `consequence: late-alert` or `wrong-decision`',
    )
  if (consequence === 'nothing' && (lossIfOneHourOld ?? 0) > 0)
    doubt(
      at('lossIfOneHourOld'),
      `\`${output.name}\` loses money when it is an hour old, but nothing breaks`,
      'then a decision is wrong, or an alert late: say which in `consequence`',
    )
  if (consequence === 'wrong-decision' && freshnessSeconds >= 86_400)
    doubt(
      at('consequence'),
      `a decision of \`${output.name}\` is wrong after an hour, but it may be a day old`,
      'write how fresh it must be for the decision to be right',
    )
  if (
    /^nothing\b/i.test(output.ifOneHourOld) &&
    consequence !== 'nothing' &&
    freshnessSeconds < 3600
  )
    doubt(
      at('ifOneHourOld'),
      `nothing breaks if \`${output.name}\` is an hour old, but its consequence is ${consequence}`,
      'one of the two is not meant',
    )
}

/** Outputs of one stream are made of the same events. */
function doubtStream(
  output: Output,
  before: readonly Output[],
  at: (field: string) => Path,
  doubt: Tell,
): void {
  const other = before.find(({ from }) => from === output.from)
  if (other === undefined) return
  if (other.rate === output.rate && other.bytes === output.bytes) return
  doubt(
    at('rate'),
    `\`${output.name}\` and \`${other.name}\` are made of one stream, with other rates or sizes`,
    'the larger is counted; give each stream its own name in `from`, if they are two',
  )
}

/** Batch alone can't be fresher than its schedule, and who refuses anything new must be told so. */
function refuseStack(
  context: Context,
  output: Output,
  at: (field: string) => Path,
  refuse: Tell,
): void {
  const batchOnly = context.newSystems === 'refused' && context.engines.length === 0
  if (!batchOnly || output.freshnessSeconds >= 3600 || output.consequence === 'nothing') return
  refuse(
    at('freshness'),
    `\`${output.name}\` needs ${output.freshnessSeconds} s, but no engine runs that does better than a job on a timer, and new systems are refused`,
    'write `newSystems: allowed`, name what runs in `engines`, or accept `freshness: 1 h`',
  )
}
