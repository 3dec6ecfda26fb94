/** Next steps as files: tables and pipelines that `millrace check` and `millrace run` accept, and timers for what is batch. */
import type { Plan } from '../plan/plan.ts'
import { secondsText } from '../plan/words.ts'
import type { PlatformCandidate } from '../rules/rules.ts'
import type { Judged } from '../rules/verdict.ts'
import type { Advice } from './shape.ts'
import { intervalSql, timesOf } from './times.ts'

type Files = Advice['nextSteps']['files']

/** What this version of Millrace can write and read, by the connectors' names. */
export type Connectors = readonly string[]

const DAY_MS = 86_400_000
/** A core reads as many as it can; more cores want more of them. */
const PARTITIONS = 4
const KAFKA = new Set(['kafka', 'msk', 'confluent-cloud', 'event-hubs'])

export function nextStepsOf(plan: Plan, connectors: Connectors): Advice['nextSteps'] {
  // The freshest output of a stream comes last, and decides how long its watermark waits.
  const byAge = [...plan.judged].sort((left, right) => right.plannedSeconds - left.plannedSeconds)
  const streams = new Map(byAge.map((each) => [each.output.from, each]))
  const files: Files = [
    ...[...streams].map(([stream, each]) => sourceTable(stream, each, plan, connectors)),
    ...[...streams.keys()].flatMap((stream) => landing(stream, plan)),
    ...plan.judged.flatMap((each) => [
      resultTable(each, plan, connectors),
      pipeline(each, isTimed(each, plan)),
    ]),
    ...plan.judged.filter((each) => isTimed(each, plan)).flatMap(timer),
  ]
  const other = standIn(plan)
  const timed = plan.judged.filter((each) => isTimed(each, plan))
  const live = plan.judged.filter((each) => !isTimed(each, plan))
  const holder = plan.chosen?.design.platform.platform ?? 'embedded'
  const reads = (connector: string) => (stream: string) =>
    sourceOptions(stream, holder, connectors).connector === connector
  const brokers = [...streams.keys()].some(reads('kafka')) ? ' (KAFKA=broker:9092 before it)' : ''
  return {
    files,
    commands: [
      { run: 'millrace advise NEEDS --write .', why: 'writes the files below' },
      { run: 'millrace check', why: 'is everything valid? nothing is opened' },
      ...[...streams.keys()].filter(reads('log')).map((stream) => ({
        run: `millrace log create ${stream} --partitions ${PARTITIONS} --set retention.ms=${Math.round(plan.situation.logDays * DAY_MS)}`,
        why: `the topic of its events, kept ${plan.situation.logDays} days`,
      })),
      ...(live.length === 0
        ? []
        : [
            {
              run: `millrace run ${live.map(({ output }) => `pipelines/${output.name}.sql`).join(' ')}`,
              why:
                other === undefined
                  ? `runs on, with a checkpoint each time its freshness asks for one${brokers}`
                  : `tries it here, before ${other} has it: the SQL is Flink's dialect, the tables are to be that engine's`,
            },
          ]),
      ...timed.map(({ output, cadence }) => ({
        run: `millrace run pipelines/${output.name}.sql --until now`,
        why:
          other === undefined
            ? `${cadence}, by cron or the systemd timer: each run goes on where the last one ended${brokers}`
            : `tries it here, before ${other} runs it ${cadence}`,
      })),
    ],
  }
}

/** Batch that is a job of its own; where something runs anyway it may carry it instead. */
function isTimed({ output, verdict }: Judged, { chosen }: Plan): boolean {
  if (verdict !== 'batch' || chosen === undefined) return verdict === 'batch'
  const { engine, scheduled } = chosen.design
  return engine.form === 'scheduled' || scheduled?.includes(output.name) === true
}

/** A single word may be one of SQL's own. */
function sqlName(name: string): string {
  return name.includes('-') ? name.replaceAll('-', '_') : `\`${name}\``
}

function resultName(name: string): string {
  return `${name.replaceAll('-', '_')}_result`
}

/** Where another engine carries it, the files try the query here: it is Flink's dialect, the tables are to be that platform's. */
function standIn(plan: Plan): string | undefined {
  const design = plan.chosen?.design
  if (design === undefined || design.engine.engine === 'embedded') return undefined
  return design.engine.name
}

function sourceTable(
  stream: string,
  freshest: Judged,
  { chosen }: Plan,
  connectors: Connectors,
): Files[number] {
  const platform = chosen?.design.platform.platform ?? 'embedded'
  const { delay } = timesOf(freshest)
  return {
    path: `tables/${stream}.sql`,
    text: `${standInNote(stream, chosen?.design.platform, connectors)}-- The events of ${stream}. Put your own columns in; what stays are the time and its watermark.
-- Events later than ${secondsText(delay)} are kept in <result>$late. Measure how late yours are: \`millrace advise watermark ${stream} --write tables/${stream}.sql\`.
CREATE TABLE ${sqlName(stream)} (
  id STRING,
  subject STRING,
  amount DOUBLE,
  happened_at TIMESTAMP_LTZ(3),
  WATERMARK FOR happened_at AS happened_at - ${intervalSql(delay)}
) WITH (
${withClause(sourceOptions(stream, platform, connectors))}
);
`,
  }
}

/** The folder in which files of events are closed, so that it is there. */
function landing(stream: string, { chosen }: Plan): Files {
  if (chosen?.design.platform.platform !== 'files') return []
  const text = `Files of ${stream} go here, an event of JSON a line. Names that begin with a dot are not read.\n`
  return [{ path: `data/${stream}/.here`, text }]
}

/** The embedded log stands in for what this version does not read, or what another engine will. */
function standInNote(
  stream: string,
  platform: PlatformCandidate | undefined,
  connectors: Connectors,
): string {
  if (platform === undefined || ['embedded', 'files'].includes(platform.platform)) return ''
  if (KAFKA.has(platform.platform) && connectors.includes('kafka')) return ''
  return `-- ${platform.name} holds ${stream} in the plan. Here the embedded log stands in for it, to try the query.\n`
}

function sourceOptions(
  stream: string,
  platform: string,
  connectors: Connectors,
): Readonly<Record<string, string>> {
  const json = { format: 'json', 'json.timestamp-format.standard': 'ISO-8601' }
  if (platform === 'files')
    return {
      connector: 'filesystem',
      path: `data/${stream}`,
      ...json,
      'source.monitor-interval': '10 s',
    }
  if (KAFKA.has(platform) && connectors.includes('kafka'))
    return {
      connector: 'kafka',
      topic: stream,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Millrace reads it when the table is opened
      'properties.bootstrap.servers': '${env:KAFKA}',
      'scan.startup.mode': 'earliest-offset',
      ...json,
    }
  return { connector: 'log', topic: stream, ...json }
}

function resultTable(
  { output }: Judged,
  { situation, format }: Plan,
  connectors: Connectors,
): Files[number] {
  const name = output.name
  const isTable = situation.tables.some((each) => each.output.name === name)
  const isIceberg = format.format === 'iceberg' && connectors.includes('iceberg')
  const options = isTable
    ? { connector: isIceberg ? 'iceberg' : 'delta', 'table-path': `lake/${name}` }
    : { connector: 'log', topic: name, format: 'json' }
  const instead =
    isTable && format.format === 'iceberg' && !isIceberg
      ? '-- Iceberg is advised; this version of Millrace writes Delta, which Trino, Athena and Snowflake read too.\n'
      : ''
  return {
    path: `tables/${name}-result.sql`,
    text: `${instead}-- The result: ${output.what} for ${output.actor.replaceAll('\n', ' ')}.
CREATE TABLE ${resultName(name)} (
  subject STRING,
  window_start TIMESTAMP(3),
  events BIGINT,
  amount DOUBLE
) WITH (
${withClause(options)}
);
`,
  }
}

function pipeline(judged: Judged, isOnTimer: boolean): Files[number] {
  const { output, verdict, plannedSeconds } = judged
  const { window, delay, checkpoint } = timesOf(judged)
  const ages = `Wanted at most ${secondsText(plannedSeconds)} old: a window of ${secondsText(window)}, a watermark ${secondsText(delay)} behind, a checkpoint each ${secondsText(checkpoint)}.`
  const interval = `SET 'execution.checkpointing.interval' = '${Math.round(checkpoint * 1000)} ms';\n`
  const need = `-- need: ${output.ifOneHourOld.replace(/\s+/g, ' ').trim()}\n`
  return {
    path: `pipelines/${output.name}.sql`,
    text: `${isOnTimer ? '' : need}-- ${verdict}: ${output.name}. ${isOnTimer ? 'Run it by a timer with --until now.' : ages}
SET 'pipeline.name' = '${output.name}';
${isOnTimer ? '' : interval}INSERT INTO ${resultName(output.name)}
SELECT subject, window_start, COUNT(*), SUM(amount)
FROM TABLE(TUMBLE(TABLE ${sqlName(output.from)}, DESCRIPTOR(happened_at), ${intervalSql(window)}))
GROUP BY subject, window_start, window_end;
`,
  }
}

function withClause(options: Readonly<Record<string, string>>): string {
  return Object.entries(options)
    .map(([name, value]) => `  '${name}' = '${value}'`)
    .join(',\n')
}

function timer({ output, cadence }: Judged): Files {
  const name = `millrace-${output.name}`
  const calendar = cadence === 'daily' ? '*-*-* 04:00:00' : 'hourly'
  const cron = cadence === 'daily' ? '0 4 * * *' : '5 * * * *'
  return [
    {
      path: `timers/${name}.service`,
      text: `[Unit]
Description=${output.name}, one run

[Service]
Type=oneshot
WorkingDirectory=/srv/${name}
ExecStart=/usr/bin/env millrace run pipelines/${output.name}.sql --until now
`,
    },
    {
      path: `timers/${name}.timer`,
      text: `# Or by cron: ${cron} cd /srv/${name} && millrace run pipelines/${output.name}.sql --until now
[Unit]
Description=${output.name}, ${cadence}

[Timer]
OnCalendar=${calendar}
Persistent=true

[Install]
WantedBy=timers.target
`,
    },
  ]
}
