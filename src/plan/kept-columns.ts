/** Columns of rows that operators keep whole: a state of other columns is of no use, whatever else is the same. */
import { cellFamily, type DataType, type Field, layoutOf } from '../data/types.ts'
import { typeText } from './functions/type-text.ts'
import { inputsOf } from './inputs.ts'
import { type PlanNode, type SinkNode, schemaOf } from './nodes.ts'

/** In the order in which they stand in the state, by name and what a cell means; undefined where no rows are kept whole. */
export function keptColumns(node: PlanNode | SinkNode): readonly string[] | undefined {
  switch (node.kind) {
    case 'join':
    case 'interval-join':
    case 'temporal-join':
    case 'window-join':
    case 'rank':
    case 'window-rank':
    case 'changelog-normalize':
    case 'temporal-sort':
    case 'over-aggregate':
    case 'match-recognize':
      return columnsOfInputs(node)
    case 'deduplicate':
      // The first by arrival is told at once: its key alone is kept.
      return node.keep === 'first' && node.timeDomain === 'processing'
        ? undefined
        : columnsOfInputs(node)
    case 'window-table':
      return node.window.kind === 'session' ? columnsOfInputs(node) : undefined
    case 'sink':
      return node.materializes ? columnsOfInputs(node) : undefined
    default:
      return undefined
  }
}

function columnsOfInputs(node: PlanNode | SinkNode): readonly string[] {
  return inputsOf(node).flatMap((input) => schemaOf(input).map(columnText))
}

function columnText({ name, type }: Field): string {
  return `${name} ${cellText(type)}`
}

/** Types whose cells mean the same, as INT and BIGINT, are one. */
function cellText(type: DataType): string {
  const family = cellFamily(type)
  if (family !== undefined) return family
  switch (type.kind) {
    case 'timestamp':
    case 'timestamp_ltz':
      return type.kind
    case 'decimal':
      return `decimal ${type.scale} ${layoutOf(type)}`
    default:
      return typeText({ ...type, nullable: true })
  }
}

/** What differs, in words. */
export function columnsDiffer(before: readonly string[], after: readonly string[]): string[] {
  const added = [...new Set(after)].filter((each) => !before.includes(each))
  const gone = [...new Set(before)].filter((each) => !after.includes(each))
  if (added.length + gone.length === 0)
    return before.join() === after.join()
      ? []
      : ['the rows it keeps have their columns in another order']
  return [
    ...added.map((each) => `column ${each} added to the rows it keeps`),
    ...gone.map((each) => `column ${each} gone from the rows it keeps`),
  ]
}
