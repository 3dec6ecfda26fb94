/** Next steps as files: tables and pipelines that `millrace check` and `millrace run` accept, and timers for what is batch. */
import type { Plan } from '../plan/plan.ts'
import { secondsText } from '../plan/words.ts'
import type { Judged } from '../rules/verdict.ts'
import type { Advice } from './shape.ts'

type Files = Advice['nextSteps']['files']

/** What this version of Millrace can write and read, by the connectors' names. */
export type Connectors = readonly string[]

const KAFKA = new Set(['kafka', 'msk', 'confluent-cloud', 'event-hubs'])

export function nextStepsOf(plan: Plan, connectors: Connectors): Advice['nextSteps'] {
  const streams = new Map(plan.judged.map((each) => [each.output.from, each]))
  const files: Files = [
    ...[...streams].map(([stream, each]) => sourceTable(stream, each, plan, connectors)),
    ...plan.judged.flatMap((each) => [
      resultTable(each, plan, connectors),
      pipeline(each, isTimed(each, plan)),
    ]),
    ...plan.judged.filter((each) => isTimed(each, plan)).flatMap(timer),
  ]
  const timed = plan.judged.filter((each) => isTimed(each, plan))
  const live = plan.judged.filter((each) => !isTimed(each, plan))
  return {
    files,
    commands: [
      { run: 'millrace advise NEEDS --write .', why: 'writes the files below' },
      { run: 'millrace check', why: 'is everything valid? nothing is opened' },
      ...(live.length === 0
        ? []
        : [
            {
              run: `millrace run ${live.map(({ output }) => `pipelines/${output.name}.sql`).join(' ')}`,
              why: 'runs on, with a checkpoint each time its freshness asks for one',
            },
          ]),
      ...timed.map(({ output, cadence }) => ({
        run: `millrace run pipelines/${output.name}.sql --until now`,
        why: `${cadence}, by cron or the systemd timer: each run goes on where the last one ended`,
      })),
      {
        run: 'millrace advise watermark TOPIC',
        why: 'measures how late events come, before anyone believes a window',
      },
    ],
  }
}

/** Batch that is a job of its own; where something runs anyway it may carry it instead. */
function isTimed({ output, verdict }: Judged, { chosen }: Plan): boolean {
  if (verdict !== 'batch' || chosen === undefined) return verdict === 'batch'
  const { engine, scheduled } = chosen.design
  return engine.form === 'scheduled' || scheduled?.includes(output.name) === true
}

function sqlName(name: string): string {
  return name.replaceAll('-', '_')
}

function sourceTable(
  stream: string,
  { output }: Judged,
  { chosen }: Plan,
  connectors: Connectors,
): Files[number] {
  const platform = chosen?.design.platform.platform ?? 'embedded'
  const delay = Math.max(1, Math.min(output.latenessSeconds, output.freshnessSeconds, 3600))
  return {
    path: `tables/${stream}.sql`,
    text: `-- The events of ${stream}. Put your own columns in; what stays are the time and its watermark.
-- Events later than ${secondsText(delay)} are kept in <result>$late. Measure how late yours are: millrace advise watermark
CREATE TABLE ${sqlName(stream)} (
  id STRING,
  subject STRING,
  amount DOUBLE,
  happened_at TIMESTAMP_LTZ(3),
  WATERMARK FOR happened_at AS happened_at - INTERVAL '${Math.round(delay)}' SECOND
) WITH (
${withClause(sourceOptions(stream, platform, connectors))}
);
`,
  }
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
CREATE TABLE ${sqlName(name)}_result (
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

function pipeline({ output, verdict, plannedSeconds }: Judged, isOnTimer: boolean): Files[number] {
  const seconds = verdict === 'batch' ? plannedSeconds : Math.min(3600, plannedSeconds / 2)
  const size = Math.round(Math.max(1, seconds))
  const interval = Math.min(CHECKPOINT_MS_MAX, Math.max(100, Math.round(plannedSeconds * 500)))
  const checkpoint = isOnTimer ? '' : `SET 'execution.checkpointing.interval' = '${interval} ms';\n`
  return {
    path: `pipelines/${output.name}.sql`,
    text: `-- ${verdict}: ${output.name}. ${isOnTimer ? 'Run it by a timer with --until now.' : `Results are at most ${secondsText(plannedSeconds)} old.`}
SET 'pipeline.name' = '${output.name}';
${checkpoint}INSERT INTO ${sqlName(output.name)}_result
SELECT subject, window_start, COUNT(*), SUM(amount)
FROM TABLE(TUMBLE(TABLE ${sqlName(output.from)}, DESCRIPTOR(happened_at), INTERVAL '${size}' SECOND))
GROUP BY subject, window_start, window_end;
`,
  }
}

/** However old results may be, a restart should not read hours again. */
const CHECKPOINT_MS_MAX = 600_000

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
