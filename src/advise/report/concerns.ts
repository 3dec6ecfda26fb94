/** Top priorities and risks: what a reader must do or know, in order, each from the figures of this plan. */
import { figure } from '../cost/lines.ts'
import type { NeedsFinding } from '../needs/findings.ts'
import type { Needs } from '../needs/needs.ts'
import { commitsOf } from '../plan/lake.ts'
import { loadOf } from '../plan/load.ts'
import type { Plan } from '../plan/plan.ts'
import { capital, secondsText, usd } from '../plan/words.ts'
import type { Connectors } from './project.ts'
import type { Advice } from './shape.ts'

export function prioritiesOf(
  needs: Needs,
  plan: Plan,
  saving: Advice['saving'],
  doubts: readonly NeedsFinding[],
): string[] {
  const { judged, chosen, situation } = plan
  const { context } = needs
  const { budget } = context
  const batch = judged.filter(({ verdict }) => verdict === 'batch')
  const streaming = judged.filter(({ verdict }) => verdict === 'streaming')
  const micro = judged.filter(({ verdict }) => verdict === 'micro-batch')
  const list = (group: typeof judged) => group.map(({ output }) => output.name).join(', ')
  const lateness = needs.outputs.filter(({ latenessSeconds }) => latenessSeconds === 0)
  const behind = needs.outputs.filter(
    ({ latenessSeconds, freshnessSeconds }) => latenessSeconds > freshnessSeconds,
  )
  return [
    chosen === undefined &&
      'Nothing meets all constraints. Decide which of them gives way: the nearest designs and what they break are listed.',
    batch.length === judged.length && `Do not stream. ${capital(saving.says)}.`,
    batch.length > 0 &&
      batch.length < judged.length &&
      `Do not stream ${list(batch)}: a job on a timer would be enough.`,
    micro.length > 0 &&
      `Commit ${list(micro)} in small batches, at the age that was asked for: no faster, since files and compaction are what it costs.`,
    chosen !== undefined && streaming.length > 0 && `Stream ${list(streaming)}, and nothing else.`,
    chosen !== undefined &&
      budget !== undefined &&
      chosen.total > budget &&
      `The plan costs ${usd(chosen.total)} a month, ${usd(chosen.total - budget)} more than the budget: see what the constraints cost.`,
    saving.breakEven !== undefined &&
      saving.stated !== undefined &&
      saving.stated < saving.breakEven &&
      `An hour's age is said to cost ${usd(saving.stated)} a month, and avoiding it costs ${usd(saving.breakEven)}: not worth it by your own figures.`,
    doubts.length > 0 &&
      `${doubts.length === 1 ? 'One answer is' : `${doubts.length} answers are`} in doubt: settle ${doubts.length === 1 ? 'it' : 'them'} first, since the verdict hangs on it.`,
    context.batchLayer === 'may-go' &&
      batch.length < judged.length &&
      'Retire the batch layer once the stream has computed its history anew and both agree: two layers drift apart.',
    lateness.length > 0 &&
      `Measure how late events come (${lateness.map(({ name }) => name).join(', ')}): write \`lateness: measured from TOPIC by FIELD\`.`,
    behind.length > 0 &&
      `Events of ${behind.map(({ name }) => name).join(', ')} come later than their results are wanted: results are corrected, or late rows are kept in $late and fed in again.`,
    needs.outputs.some(({ correctness }) => correctness === 'exactly-once') &&
      situation.tables.length < judged.length &&
      'Exactly once ends at the sink: a service needs a key by which it recognises what it has seen.',
    'Give events a schema and a compatibility rule before the second team produces them.',
  ].filter((each) => each !== false)
}

export function risksOf(needs: Needs, plan: Plan, connectors: Connectors): string[] {
  const { chosen, situation, format } = plan
  const { context } = needs
  const { clouds, compliance } = context
  const commits = commitsOf(situation)
  const lines = chosen?.lines ?? []
  const unsure = lines.filter(({ kind, confidence }) => kind !== 'operations' && confidence === 'C')
  const shareOf = (amount: number) => Math.round((amount / (chosen?.total ?? 1)) * 100)
  const share = shareOf(unsure.reduce((sum, { monthly }) => sum + monthly, 0))
  const operating = shareOf((chosen?.total ?? 0) - (chosen?.money ?? 0))
  const design = chosen?.design
  const room = roomOf(plan)
  const regulated = compliance.filter((each) => ['gdpr', 'hipaa', 'pci'].includes(each))
  return [
    design?.engine.engine === 'embedded' &&
      design.engine.form === 'continuous' &&
      design.engine.survives === 'process' &&
      'It is not highly available: while its machine is down, results stand still. Nothing is lost if its volume is not.',
    design?.engine.id === 'embedded-standby' &&
      'Both machines and the volume are in one zone: losing the zone stops it, and losing the volume loses what the log alone held.',
    design?.engine.engine === 'embedded' &&
      room < ROOM_TOLD &&
      `One core is its limit, and carries ${figure(room)} times this load.`,
    format.format === 'iceberg' &&
      !connectors.includes('iceberg') &&
      'Iceberg is advised for your readers. This version of Millrace writes Delta, which Trino, Athena and Snowflake read too; the ready files do so.',
    format.format === 'hudi' && 'Hudi is in use; this version of Millrace does not write it.',
    operating > 50 &&
      `${operating} % of the total are operating hours, which are our own judgement: put yours in with --prices.`,
    share > 25 &&
      `${share} % of the total rest on prices of confidence C: put your own in with --prices.`,
    clouds.length === 1 &&
      clouds[0] === 'own' &&
      'Your own machines are priced as EC2 and EBS: put your own prices in with --prices.',
    clouds.length > 0 &&
      context.regions.length > 0 &&
      `Prices are of us-east-1, us-central1 and East US, not of ${context.regions.join(', ')}: expect 5 to 30 % more elsewhere.`,
    regulated.length > 0 &&
      `${regulated.join(', ').toUpperCase()} is noted and not judged: have contracts, regions and retention checked.`,
    commits !== undefined &&
      commits.seconds < 60 &&
      `A commit each ${secondsText(commits.seconds)} makes ${figure(commits.filesADay)} files a day: plan compaction, or let tables be a minute old.`,
    design?.platform.platform === 'kinesis' &&
      'Hot keys: a shard takes 1 MB/s and 1,000 records/s, whatever the other shards do.',
  ].filter((each) => each !== false)
}

/** Beyond so many times the load, a limit is no risk. */
const ROOM_TOLD = 20

/** How many times the load one core carries. */
function roomOf({ situation, chosen }: Plan): number {
  const { book, planned } = situation
  const load = loadOf(planned.map(({ output }) => output))
  const isScheduled = chosen?.design.engine.form === 'scheduled'
  const events = isScheduled ? load.events : load.eventsPeak
  const bytes = isScheduled ? load.in : load.inPeak
  return Math.min(book.limit('embedded-events') / events, book.limit('embedded-in') / bytes)
}
