/** The views and questions that a project serves: each a query that goes on while the service runs. */

import type { Connector } from '../connectors/contract/connector.ts'
import { rowAppender } from '../connectors/log/append-rows.ts'
import { nestedValue } from '../data/nested-values.ts'
import type { Field } from '../data/types.ts'
import type { Row } from '../data/values.ts'
import type { PlanNode } from '../plan/nodes.ts'
import type { Ports } from '../ports/ports.ts'
import { type Asking, type AskingStart, newId, openAsking } from '../run/asking.ts'
import { runChanges } from '../run/query.ts'
import { openView } from '../run/view.ts'
import type { ServedAsk } from './ask-routes.ts'
import { type KeptOpen, keepOpen, type Openable } from './kept-open.ts'
import type { AppendRows } from './topic-routes.ts'
import type { OpenedView, ServedView } from './view-routes.ts'

export interface ViewPlan {
  readonly name: string
  readonly query: PlanNode
  /** Columns that name a row. */
  readonly key: readonly Field[]
}

export interface AskPlan {
  readonly name: string
  readonly query: PlanNode
  readonly topic: string
  /** The column that holds an event's id. */
  readonly id: string
}

export interface AnswersOptions {
  readonly views: readonly ViewPlan[]
  readonly asks: readonly AskPlan[]
  readonly connectors: readonly Connector[]
  readonly ports: Ports
  readonly dataDirectory: string
  readonly baseDirectory: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** How events reach their topics. */
  readonly append: AppendRows
  readonly onTrouble: (name: string, error: unknown) => void
}

export interface Answers {
  readonly views: readonly ServedView[]
  readonly asks: readonly ServedAsk[]
  /** A line for each that does not answer yet. */
  waiting(): string[]
  close(): Promise<void>
}

/** Changes that are kept for clients that come back, of each view. */
const CHANGES_KEPT_MAX = 10_000

/** Returns at once, topics made; what sources hold is read afterwards. */
export async function openAnswers(options: AnswersOptions): Promise<Answers> {
  const { ports, dataDirectory, onTrouble } = options
  for (const { topic } of options.asks)
    await (await rowAppender(ports, dataDirectory, topic)).close()
  const views = options.views.map((plan) => ({
    plan,
    kept: keepOpen(
      `view ${plan.name}`,
      (closing) => servedView(options, plan, closing),
      ports.clock,
      onTrouble,
    ),
  }))
  const asks = options.asks.map((plan) => ({
    plan,
    kept: keepOpen(
      `ask ${plan.name}`,
      (closing) => servedAsking(options, plan, closing),
      ports.clock,
      onTrouble,
    ),
  }))
  const all: KeptOpen<Openable>[] = [...views, ...asks].map(({ kept }) => kept)
  return {
    views: views.map(({ plan: { name, key }, kept }) => ({ name, key, view: () => kept.now() })),
    asks: asks.map(({ plan: { name, id }, kept }) => ({
      name,
      id,
      asking: () => kept.now(),
      newId: () => newId(ports),
    })),
    waiting: () =>
      all
        .filter((kept) => kept.now() === undefined)
        .map(({ name, trouble }) => `${name}: ${trouble ?? 'reading what is there'}`),
    async close() {
      await Promise.all(all.map((kept) => kept.close()))
    },
  }
}

async function servedView(
  options: AnswersOptions,
  { query, key }: ViewPlan,
  closing: AbortSignal,
): Promise<OpenedView & Openable> {
  const view = openView({
    key: key.map(({ name }) => name),
    changesKept: CHANGES_KEPT_MAX,
    begin: changesOf(options, query, closing),
  })
  try {
    await view.ready
  } catch (error) {
    await view.close()
    throw error
  }
  return { view, epoch: newId(options.ports), ended: view.ended, close: view.close }
}

function servedAsking(
  options: AnswersOptions,
  { query, topic, id }: AskPlan,
  closing: AbortSignal,
): Promise<Asking<Row>> {
  const { ports, dataDirectory, append } = options
  return openAsking({
    ports,
    dataDirectory,
    topic,
    id,
    begin: changesOf(options, query, closing),
    append: async (event, eventId) => {
      await append(topic, [{ value: Buffer.from(event).toString('utf8'), eventId }])
    },
  })
}

function changesOf(
  options: AnswersOptions,
  query: PlanNode,
  closing: AbortSignal,
): AskingStart['begin'] {
  const { connectors, ports, dataDirectory, baseDirectory, environment } = options
  const places = { connectors, ports, dataDirectory, baseDirectory, environment }
  return (signal, onCaughtUp, nudge) =>
    runChanges({
      ...{ query, ...places, values: { nested: nestedValue }, onCaughtUp, nudge },
      signal: AbortSignal.any([signal, closing]),
    })
}
