/**
 * A plan as a tree, sinks first, inputs below what reads them:
 *
 *   revenue (delta)                                                +I
 *   └─ project shop, window_start, orders                          +I
 *      └─ window TUMBLE 1 minute by shop: COUNT(*)                 +I      kernel  state: open windows
 *         └─ watermark placed_at - INTERVAL '5' SECOND             +I
 *            └─ scan orders (filesystem): shop, placed_at          +I
 */
import { aggregateText, expressionText, intervalText } from '../../plan/expression-text.ts'
import type { Expression } from '../../plan/expressions.ts'
import { userFunctionName } from '../../plan/functions/user.ts'
import { inputsOf } from '../../plan/inputs.ts'
import { type PlanNode, type SinkNode, type SortKey, schemaOf } from '../../plan/nodes.ts'
import type { PatternTerm } from '../../plan/patterns.ts'
import { type NodeTraits, traitsOf } from '../../plan/traits.ts'
import type { WantedGroups } from '../../plan/wanted-groups.ts'
import type { Window } from '../../plan/windows.ts'
import type { Style } from './style.ts'
import { cut, padded, widthOf } from './table.ts'

export interface NodeMark {
  readonly mark: 'kernel' | 'js'
  readonly because: readonly string[]
}

export interface PlanLine {
  readonly depth: number
  /** What it does. */
  readonly text: string
  readonly kind: string
  readonly changes: NodeTraits['changes']
  readonly state: NodeTraits['state']
  /** µs for which windows are kept behind their end, and for which late rows correct them; absent: not at all. */
  readonly latenessUs?: number
  /** Of a window's groups only the first so many are told; absent: all. */
  readonly wanted?: number
  readonly upsertKey?: readonly string[]
  /** Absent where nothing is computed. */
  readonly mark?: NodeMark
}

/** The nodes of one sink, the sink first. `markOf` tells how a node runs; `wanted`: of all sinks that run together. */
export function planLines(
  sink: SinkNode,
  markOf: (node: PlanNode) => NodeMark | undefined,
  wanted: ReadonlyMap<string, WantedGroups> = new Map(),
): PlanLine[] {
  const lines: PlanLine[] = []
  const visit = (node: PlanNode, depth: number) => {
    const { changes, state, upsertKey } = traitsOf(node)
    const mark = markOf(node)
    const latenessUs = node.kind === 'window-aggregate' ? (node.emit?.latenessUs ?? 0) : 0
    const first = wanted.get(JSON.stringify(node))?.count
    const names = upsertKey?.map((column) => schemaOf(node)[column]!.name)
    lines.push({
      depth,
      text: nodeText(node),
      kind: node.kind,
      changes,
      state,
      ...(latenessUs === 0 ? {} : { latenessUs }),
      ...(first === undefined ? {} : { wanted: first }),
      ...(names === undefined ? {} : { upsertKey: names }),
      ...(mark === undefined ? {} : { mark }),
    })
    for (const input of inputsOf(node)) visit(input, depth + 1)
  }
  const { changes } = traitsOf(sink.input)
  const { name, options } = sink.table
  lines.push({
    depth: 0,
    text: `${name} (${options.connector ?? '?'})${sink.materializes ? ' by its own key' : ''}`,
    kind: 'sink',
    changes,
    state: sink.materializes ? 'rows' : 'none',
  })
  visit(sink.input, 1)
  return lines
}

const STATE_TEXT: Readonly<Record<NodeTraits['state'], string>> = {
  none: '',
  windows: 'state: open windows',
  time: 'state: rows until time has passed them',
  keys: 'state: every key, for ever',
  rows: 'state: all rows',
  answers: 'state: rows until they are answered',
}
const TEXT_WIDTH_MAX = 76

export function renderPlan(lines: readonly PlanLine[], style: Style): string[] {
  const texts = lines.map(({ depth, text }) =>
    cut(depth === 0 ? text : `${'   '.repeat(depth - 1)}└─ ${text}`, TEXT_WIDTH_MAX),
  )
  const width = Math.max(...texts.map(widthOf))
  return lines.map((line, index) => {
    const text = padded(texts[index]!, width)
    const changes = line.changes === 'append' ? '+I         ' : '+I -U +U -D'
    const mark = line.mark === undefined ? '' : markText(line.mark, style)
    const kept =
      line.latenessUs === undefined ? '' : `, and ${intervalText(BigInt(line.latenessUs))} longer`
    const told = line.wanted === undefined ? '' : `; tells the first ${line.wanted} of each alone`
    const state = `${STATE_TEXT[line.state]}${kept}${told}`
    const grows = line.state === 'keys' || (line.state === 'rows' && line.kind !== 'sort')
    const shown = grows ? style.warning(state) : style.faint(state)
    const painted = line.depth === 0 ? style.strong(text) : text
    return `${painted}  ${style.faint(changes)}  ${padded(mark, 6)}  ${shown}`.trimEnd()
  })
}

function markText({ mark, because }: NodeMark, style: Style): string {
  if (mark === 'kernel') return style.good('kernel')
  return `${style.warning('js')}${because.length === 0 ? '' : style.faint(` (${because.join(', ')})`)}`
}

/** What a node does, in a line. */
export function nodeText(node: PlanNode): string {
  const columns = inputsOf(node)[0] === undefined ? [] : schemaOf(inputsOf(node)[0]!)
  switch (node.kind) {
    case 'scan':
      return `scan ${node.table.name} (${node.table.options.connector ?? '?'}): ${names(node.schema)}`
    case 'values':
      return `values: ${node.rows.length} rows of ${names(node.schema)}`
    case 'watermark-assigner':
      return `watermark ${expressionText(node.watermark, columns)}`
    case 'filter':
      return `filter ${expressionText(node.condition, columns)}`
    case 'project':
      return `project ${node.expressions.map((each, index) => named(expressionText(each, columns), node.schema[index]!.name)).join(', ')}`
    case 'window-table':
      return `window ${windowText(node.window)}`
    case 'window-aggregate':
      return `window ${windowText(node.window)}${emitText(node)}${groupText(node, columns)}`
    case 'group-aggregate':
      return node.aggregates.length === 0
        ? `distinct ${node.keys.map((key) => expressionText(key, columns)).join(', ')}`
        : `group${groupText(node, columns)}`
    case 'union-all':
      return 'union all'
    case 'window-rank':
    case 'rank': {
      const order = orderText(node.order, columns)
      const to = typeof node.to === 'number' ? node.to : columns[node.to.column]!.name
      const range = node.from === 1 ? `first ${to}` : `${node.from} to ${to}`
      return `${node.kind === 'rank' ? 'top' : 'window top'} ${range}${byText(node.partition, columns)}${order === '' ? '' : ` ordered by ${order}`}`
    }
    case 'deduplicate':
      return `deduplicate: ${node.keep} row${byText(node.partition, columns)} in ${columns[node.time]!.name}`
    case 'over-aggregate': {
      const { kind, preceding } = node.frame
      const frame = preceding === undefined ? `${kind} unbounded` : `${kind} ${preceding} preceding`
      const calls = node.aggregates.map((call) => aggregateText(call, columns)).join(', ')
      return `over${byText(node.partition, columns)} (${frame}): ${calls}`
    }
    case 'changelog-normalize':
      return `changelog by ${node.keys.map((key) => columns[key]!.name).join(', ')}`
    case 'correlate':
      return `${node.type} ${node.function.toLowerCase()} ${node.args.map((arg) => expressionText(arg, columns)).join(', ')}`
    case 'async-call': {
      const args = node.args.map((arg) => expressionText(arg, columns))
      const { lookup } = node
      if (lookup !== undefined)
        return `look up ${lookup.table.name} by ${lookup.key.map((name, at) => `${name} = ${args[at]}`).join(', ')}`
      return `ask ${userFunctionName(node.function)}(${args.join(', ')})`
    }
    case 'process': {
      const name = userFunctionName(node.function)
      const time = node.time === undefined ? '' : ` on ${columns[node.time]!.name}`
      const uid = node.uid === undefined ? '' : ` uid '${node.uid}'`
      return `process ${name}${byText(node.partition, columns)}${time}${uid}`
    }
    case 'match-recognize': {
      const terms = node.pattern.map(termText).join(' ')
      const told = node.allRows === undefined ? '' : ', each row'
      return `match ${terms}${byText(node.partition, columns)}${told}`
    }
    case 'expand':
      return `expand ${node.projections.length} times`
    case 'temporal-sort':
      return `sort ${orderText(node.keys, columns)} by time`
    case 'join':
    case 'interval-join':
    case 'temporal-join':
    case 'window-join':
      return joinText(node)
    case 'sort': {
      const keys = node.keys.map(
        (key) => `${expressionText(key.expression, columns)}${key.descending ? ' DESC' : ''}`,
      )
      const limit = node.limit === undefined ? '' : ` limit ${node.limit}`
      return `${keys.length === 0 ? '' : `sort ${keys.join(', ')}`}${limit}`.trim()
    }
  }
}

function groupText(
  node: Extract<PlanNode, { kind: 'window-aggregate' | 'group-aggregate' }>,
  columns: Parameters<typeof expressionText>[1],
): string {
  const keys = node.keys.map((key) => expressionText(key, columns))
  const by = keys.length === 0 ? '' : ` by ${keys.join(', ')}`
  const aggregates = node.aggregates.map((call) => aggregateText(call, columns))
  return aggregates.length === 0 ? by : `${by}: ${aggregates.join(', ')}`
}

function termText({ variable, least, most, greedy }: PatternTerm): string {
  const count =
    least === 1 && most === 1
      ? ''
      : `{${least},${most ?? ''}}${greedy || least === most ? '' : '?'}`
  return `${variable}${count}`
}

type AnyJoin = Extract<PlanNode, { readonly left: PlanNode }>

function joinText(node: AnyJoin): string {
  const left = schemaOf(node.left)
  const right = schemaOf(node.right)
  const keys = node.leftKeys.map(
    (key, index) =>
      `${expressionText(key, left)} = ${expressionText(node.rightKeys[index]!, right)}`,
  )
  const other =
    node.condition === undefined ? [] : [expressionText(node.condition, [...left, ...right])]
  const on = [...keys, ...other].join(' AND ')
  return `${node.type} ${node.kind.replace('-', ' ')}${on === '' ? '' : ` on ${on}`}`
}

function byText(
  keys: readonly Expression[],
  columns: Parameters<typeof expressionText>[1],
): string {
  return keys.length === 0
    ? ''
    : ` by ${keys.map((key) => expressionText(key, columns)).join(', ')}`
}

function orderText(
  keys: readonly SortKey[],
  columns: Parameters<typeof expressionText>[1],
): string {
  return keys
    .map((key) => `${expressionText(key.expression, columns)}${key.descending ? ' DESC' : ''}`)
    .join(', ')
}

/** Behind the window's name: when it is told besides once. */
function emitText({ emit }: Extract<PlanNode, { kind: 'window-aggregate' }>): string {
  if (emit === undefined) return ''
  const { latenessUs, lateDelayUs, earlyDelayUs } = emit
  const every = (us: number): string =>
    us === 0 ? 'at each row' : `every ${intervalText(BigInt(us))}`
  const texts = [
    ...(earlyDelayUs === undefined ? [] : [`early ${every(earlyDelayUs)}`]),
    ...(latenessUs === 0
      ? []
      : [`corrected for ${intervalText(BigInt(latenessUs))} ${every(lateDelayUs ?? 0)}`]),
  ]
  return ` (${texts.join(', ')})`
}

/** 'TUMBLE 1 minute'. */
export function windowText(window: Window): string {
  if (window.kind === 'attached') return 'of the rows'
  if (window.kind === 'session') return `SESSION ${intervalText(BigInt(window.gapUs))}`
  const size = intervalText(BigInt(window.sizeUs))
  const offset = window.offsetUs === 0 ? '' : ` offset ${intervalText(BigInt(window.offsetUs))}`
  if (window.kind === 'tumble') return `TUMBLE ${size}${offset}`
  if (window.kind === 'cumulate')
    return `CUMULATE ${size} by ${intervalText(BigInt(window.stepUs))}${offset}`
  return `HOP ${size} every ${intervalText(BigInt(window.slideUs))}${offset}`
}

function names(schema: readonly { readonly name: string }[]): string {
  return schema.map(({ name }) => name).join(', ')
}

function named(text: string, name: string): string {
  return text === name ? name : `${text} AS ${name}`
}
